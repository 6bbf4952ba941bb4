/** What the log or a sink gives up for good is in a gap, once, whatever the service is doing at that time. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Gap } from '../../src/model/event.ts'
import type { Batch, Held, Sink, SinkPorts } from '../../src/sinks/sink.ts'
import { until } from '../helpers/service.ts'
import { running, STREAM, tradeOf, type Write } from './delivery-rig.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'marketprism-delivery-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const runningOne = (write: Write, open?: Sink['open']) => running(folder, { store: { write, ...(open && { open }) } })

const isPoison = ({ body }: { readonly body: Buffer }): boolean => body.includes(':0:2"')

/** Refuses the second trade. */
async function refuse(batch: Batch, ports: SinkPorts): Promise<void> {
  for await (const records of batch.records())
    for (const record of records) if (isPoison(record)) await ports.reject(record, 'poison')
}

const full = (gaps: readonly Gap[]) => gaps.filter(({ cause }) => cause === 'log_full')
const rejected = (gaps: readonly Gap[]) => gaps.filter(({ cause }) => cause === 'rejected')

test('a record that is refused while the sinks get their last data is in a gap', async () => {
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const { emit, gaps, stop } = await runningOne(async (batch, ports) => {
    await held
    await refuse(batch, ports)
  })
  for (const index of [1, 2, 3]) emit(tradeOf(index))
  await new Promise((resolve) => setTimeout(resolve, 50))
  const stopped = stop()
  letGo()
  await stopped
  expect(readFileSync(join(folder, 'dead-letter', 'store.jsonl'), 'utf8')).toContain('poison')
  expect(rejected(gaps)).toMatchObject([{ symbol: 'BTC-USDT', lost: 1, reason: 'store: poison' }])
})

test('what the log did not take last is in a gap, though the service stops', async () => {
  const { emit, gaps, stop } = await runningOne(async () => {})
  emit(tradeOf(1))
  emit({ ...tradeOf(2), order_type: 'x'.repeat(17 * 1024 * 1024) })
  await stop()
  expect(full(gaps).at(-1)).toMatchObject({ symbol: 'BTC-USDT', state: 'final', lost: 1 })
  expect(new Set(full(gaps).map(({ gap_id }) => gap_id)).size).toBe(1)
})

test('no beat says that all was delivered before it is told what the log did not take', async () => {
  const { delivery, emit, gaps, stop } = await runningOne(async () => {})
  emit({ ...tradeOf(1), order_type: 'x'.repeat(17 * 1024 * 1024) })
  expect([delivery.durableLsn, full(gaps)]).toEqual([-1, []])
  await until('it to be told', () => full(gaps).length === 1, 1_000)
  expect(full(gaps)).toMatchObject([{ state: 'open', symbol: 'BTC-USDT' }])
  expect(delivery.durableLsn).toBeGreaterThanOrEqual(0)
  await stop()
  expect(full(gaps)).toMatchObject([{}, { state: 'final', lost: 1, gap_id: full(gaps)[0]?.gap_id }])
})

test('of a venue that has counted anew the next process knows the new numbers alone', async () => {
  const before = await runningOne(async () => {})
  for (const index of [999, 1000]) before.emit(tradeOf(index))
  before.emit({ ...tradeOf(4), id: 'okx:trade:BTC-USDT:1795392000000001:4' })
  await before.stop()
  const { ledger, stop } = await runningOne(async () => {})
  const { epoch, tally } = ledger.stream(STREAM)
  expect([epoch, tally.last, tally.missing]).toEqual([1_795_392_000_000_001, 4, []])
  await stop()
})

test('a record that comes again with its batch is refused once', async () => {
  let tries = 0
  const { delivery, emit, gaps, stop } = await runningOne(async (batch, ports) => {
    await refuse(batch, ports)
    if (++tries < 4) throw new Error('the disk is full')
  })
  for (const index of [1, 2, 3]) emit(tradeOf(index))
  await until('the batch to be stored', () => tries >= 4, 30_000)
  expect(rejected(gaps)).toHaveLength(1)
  expect(delivery.view().sinks).toMatchObject([{ rejected: 1 }])
  expect(
    readFileSync(join(folder, 'dead-letter', 'store.jsonl'), 'utf8')
      .trim()
      .split('\n'),
  ).toHaveLength(1)
  await stop()
})

test('a store that was set back beyond what the log has lacks what was received since', async () => {
  const lsns: number[] = []
  const store: Write = async (batch) => {
    for await (const records of batch.records()) for (const { lsn } of records) lsns.push(lsn)
  }
  const startUs = Date.now() * 1_000
  for (const index of [1, 2]) {
    const { emit, stop } = await runningOne(store)
    emit(tradeOf(index))
    await stop()
  }
  const [segment = ''] = readdirSync(join(folder, 'spool')).filter((name) => name.endsWith('.log'))
  rmSync(join(folder, 'spool', segment))
  const [throughLsn = 0] = lsns
  const lackedBy = async (sinceUs: number): Promise<Gap | undefined> => {
    let held: Held | undefined = { throughLsn, hasLost: true, sinceUs }
    const { gaps, stop } = await runningOne(store, async () => {
      const first = held
      held = undefined
      return first
    })
    await until('the loss to be told', () => gaps.some(({ cause }) => cause === 'log_spoilt'))
    await stop()
    return gaps.find(({ cause }) => cause === 'log_spoilt')
  }
  const sinceUs = Date.now() * 1_000
  await new Promise((resolve) => setTimeout(resolve, 20))
  const lacked = await lackedBy(sinceUs)
  expect(lacked).toMatchObject({ symbol: 'BTC-USDT', start_time_us: sinceUs })
  expect(lacked?.reason).toContain('for store')
  expect(lacked?.end_time_us).toBeGreaterThan(sinceUs)
  // It holds nothing at all: everything since the feed began.
  const allLacked = await lackedBy(0)
  expect(allLacked?.start_time_us).toBeGreaterThanOrEqual(startUs)
  expect(allLacked?.start_time_us).toBeLessThan(sinceUs)
})

test('what the ledger knows the log had, and a killed process’s log has not any more, is in a gap', async () => {
  const isAway = (): Promise<never> => Promise.reject(new Error('away'))
  const first = await runningOne(async () => {}, isAway)
  first.emit(tradeOf(1))
  // The ledger says each second where it stands in the log.
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  await first.stop()
  const spool = join(folder, 'spool')
  // As if it had been killed, and its newest file were gone.
  writeFileSync(join(spool, 'lock'), '')
  for (const name of readdirSync(spool)) if (name.endsWith('.log')) rmSync(join(spool, name))
  const next = await runningOne(async () => {}, isAway)
  expect(next.gaps.filter(({ cause }) => cause === 'log_spoilt')).toMatchObject([{ symbol: 'BTC-USDT' }])
  await next.stop()
})

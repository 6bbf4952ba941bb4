/** What the log or a sink gives up for good is in a gap, once, whatever the service is doing at that time. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Delivery } from '../../src/collector/delivery.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { Gap, MarketEvent, Trade } from '../../src/model/event.ts'
import { loadConfig } from '../../src/ops/config.ts'
import { silentLogger } from '../../src/ops/log.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { createRepeatGuard } from '../../src/ops/repeat-guard.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import type { Batch, Held, Sink, SinkPorts, SinkTraits } from '../../src/sinks/sink.ts'
import { venues } from '../../src/venues/index.ts'
import { until } from '../helpers/service.ts'

const STREAM = {
  exchange: 'okx',
  venue: 'okx',
  channel: 'trade',
  symbol: 'BTC-USDT',
  market: 'spot',
  proof: 'counter',
} as const

const tradeOf = (index: number): Trade => ({
  type: 'trade',
  exchange: 'okx',
  venue: 'okx',
  market: 'spot',
  symbol: 'BTC-USDT',
  id: `okx:trade:BTC-USDT:0:${index}`,
  trade_id: String(index),
  price: '1',
  quantity: '1',
  side: 'buy',
})

type Write = (batch: Batch, ports: SinkPorts) => Promise<void>

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'marketprism-delivery-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const TRAITS: SinkTraits = { recordsMax: 100, bytesMax: 1e6, ageMs: 0, batchesMax: 1, hasFixedBatches: false }

/** A log, a ledger and one sink that does with its batches what `write` does. */
async function running(write: Write, open: Sink['open'] = async () => undefined) {
  const platform = systemPlatform()
  const { clock, files } = platform
  const overrides = [{ path: 'data_dir', value: folder, origin: 'test' }]
  const { config } = loadConfig({ venues, environment: {}, cwd: folder, configDir: undefined, overrides })
  const gaps: Gap[] = []
  const repeats = createRepeatGuard({ logger: silentLogger, clock })
  const create = (ports: SinkPorts): Sink & { readonly traits: SinkTraits } => ({
    traits: TRAITS,
    open,
    write: (batch) => write(batch, ports),
    close: async () => {},
  })
  const metrics = createMetrics({ venues: [], constLabels: {} })
  const delivery: Delivery = new Delivery({
    config,
    venues,
    platform,
    metrics,
    logger: silentLogger,
    repeats,
    sinks: [{ name: 'store', create }],
    ledger: () => ledger,
  })
  const emit = (event: MarketEvent): void => delivery.append(event, Buffer.from(JSON.stringify(event)), clock.nowUs())
  const told = (gap: Gap): void => {
    gaps.push(gap)
    emit(gap)
  }
  const ledger = new Ledger({
    folder: join(folder, 'ledger'),
    files,
    clock,
    log: delivery,
    emit: told,
    onProblem: () => {},
  })
  await ledger.load()
  await delivery.open()
  ledger.open(ledger.stream(STREAM))
  ledger.stream(STREAM).heard(1, clock.nowUs())
  await ledger.start()
  delivery.start()
  const stop = async (): Promise<void> => {
    ledger.stop()
    await delivery.stop()
    ledger.close()
    repeats.stop()
  }
  return { delivery, ledger, emit, gaps, stop }
}

const isPoison = ({ body }: { readonly body: Buffer }): boolean => body.includes(':0:2"')

/** Refuses the second trade. */
async function refuse(batch: Batch, ports: SinkPorts): Promise<void> {
  for await (const records of batch.records())
    for (const record of records) if (isPoison(record)) await ports.reject(record, 'poison')
}

const rejected = (gaps: readonly Gap[]) => gaps.filter(({ cause }) => cause === 'rejected')

test('a record that is refused while the sinks get their last data is in a gap', async () => {
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const { emit, gaps, stop } = await running(async (batch, ports) => {
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
  const { emit, gaps, stop } = await running(async () => {})
  emit(tradeOf(1))
  emit({ ...tradeOf(2), order_type: 'x'.repeat(17 * 1024 * 1024) })
  await stop()
  expect(gaps.filter(({ cause }) => cause === 'log_full')).toMatchObject([{ symbol: 'BTC-USDT', lost: 1 }])
})

test('of a venue that has counted anew the next process knows the new numbers alone', async () => {
  const before = await running(async () => {})
  for (const index of [999, 1000]) before.emit(tradeOf(index))
  before.emit({ ...tradeOf(4), id: 'okx:trade:BTC-USDT:1795392000000001:4' })
  await before.stop()
  const { ledger, stop } = await running(async () => {})
  const { epoch, tally } = ledger.stream(STREAM)
  expect([epoch, tally.last, tally.missing]).toEqual([1_795_392_000_000_001, 4, []])
  await stop()
})

test('a record that comes again with its batch is refused once', async () => {
  let tries = 0
  const { delivery, emit, gaps, stop } = await running(async (batch, ports) => {
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
    const { emit, stop } = await running(store)
    emit(tradeOf(index))
    await stop()
  }
  const [segment = ''] = readdirSync(join(folder, 'spool')).filter((name) => name.endsWith('.log'))
  rmSync(join(folder, 'spool', segment))
  const [throughLsn = 0] = lsns
  const lackedBy = async (sinceUs: number): Promise<Gap | undefined> => {
    let held: Held | undefined = { throughLsn, hasLost: true, sinceUs }
    const { gaps, stop } = await running(store, async () => {
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
  const first = await running(async () => {}, isAway)
  first.emit(tradeOf(1))
  // The ledger says each second where it stands in the log.
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  await first.stop()
  const spool = join(folder, 'spool')
  // As if it had been killed, and its newest file were gone.
  writeFileSync(join(spool, 'lock'), '')
  for (const name of readdirSync(spool)) if (name.endsWith('.log')) rmSync(join(spool, name))
  const next = await running(async () => {}, isAway)
  expect(next.gaps.filter(({ cause }) => cause === 'log_spoilt')).toMatchObject([{ symbol: 'BTC-USDT' }])
  await next.stop()
})

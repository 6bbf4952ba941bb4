/** The process is killed, or the power fails, before each single operation of the disk; then the batch comes again. */

import { describe, expect, test } from 'vitest'
import type { MarketEvent } from '../../../src/model/event.ts'
import { seededRandom } from '../../../src/platform/random.ts'
import { diskError } from '../../../src/sim/virtual/disk-fault.ts'
import type { LogRecord } from '../../../src/spool/frame.ts'
import { files, isWhole, LAKE, Machine } from './machine.ts'
import { batchOf, DAY_US, recordsOf, TIME_US, trade } from './rig.ts'

const quote = (index: number, exchange: string): MarketEvent => ({
  type: 'quote',
  exchange,
  venue: exchange,
  market: 'spot',
  symbol: 'X',
  id: `${exchange}:${index}`,
  receive_time_us: TIME_US,
  bid_price: '1.5',
})
const BATCHES: readonly (readonly LogRecord[])[] = [
  recordsOf([trade(1), quote(1, 'a'), trade(2), trade(3, { exchange_time_us: TIME_US - DAY_US })], 1),
  recordsOf([trade(4), quote(2, 'a'), quote(3, 'b')], 5),
]

/** What a lake holds that nothing has disturbed. */
async function truth(): Promise<ReadonlyMap<string, string>> {
  const machine = new Machine()
  await machine.open()
  for (const records of BATCHES) await machine.write(batchOf(records))
  return files(machine.disk)
}

/** Writes both batches; ends the process at the operation `at`. The result is the number of batches that were acknowledged. */
async function play(machine: Machine, at: number): Promise<{ acked: number; operations: number }> {
  let operations = 0
  machine.disk.onOperation = () => {
    // What has a name in the lake is whole, whenever somebody looks.
    for (const [path, bytes] of files(machine.disk)) if (!isWhole(bytes)) throw new Error(`${path} is half written`)
    if (++operations === at) machine.kill()
  }
  let acked = 0
  const isOver = () => operations >= at
  await machine.open(isOver)
  for (const records of BATCHES) {
    if (isOver()) break
    await machine.write(batchOf(records), isOver)
    if (!isOver()) acked++
  }
  machine.disk.onOperation = () => {}
  return { acked, operations }
}

describe.each(['kill', 'power failure'] as const)('a %s before any operation', (how) => {
  test('leaves whole files, and the batch that comes again makes the lake what it would be', async () => {
    const expected = await truth()
    expect(expected.size).toBe(6)
    const { operations } = await play(new Machine(), Number.POSITIVE_INFINITY)
    expect(operations).toBeGreaterThan(40)
    for (let at = 1; at <= operations; at++) {
      const machine = new Machine(seededRandom(at))
      const { acked } = await play(machine, at)
      if (how === 'power failure') machine.disk.losePower()
      const before = files(machine.disk)
      for (const [path, bytes] of before) expect(bytes, `operation ${at}: ${path}`).toBe(expected.get(path))
      await machine.open()
      for (const records of BATCHES.slice(acked)) await machine.write(batchOf(records))
      expect(files(machine.disk), `operation ${at}`).toEqual(expected)
      expect(machine.unfinished, `operation ${at}`).toEqual([])
    }
  })
})

test('a batch that comes again smaller, because the log has lost records, takes nothing from what is stored', async () => {
  const machine = new Machine()
  const [records = []] = BATCHES
  const bounds = { firstLsn: 1, lastLsn: 4 }
  await machine.open()
  const quotes = `${LAKE}/type=quote/exchange=a/date=2026-11-23/log-a%2E1-${'1'.padStart(16, '0')}-${'4'.padStart(16, '0')}.parquet`
  await machine.write(batchOf(records))
  const before = files(machine.disk)
  machine.disk.drop(quotes)
  await machine.write(batchOf(records.slice(1), 10, bounds))
  expect(files(machine.disk)).toEqual(before)
  expect(machine.lake.sink.counts).toMatchObject({ files: 4, rows: 5, kept: 2 })
})

test('another log may have the same numbers: its files are others', async () => {
  const machine = new Machine()
  await machine.open()
  await machine.write(batchOf(recordsOf([trade(1)])))
  machine.logId = 'log-b'
  await machine.open()
  await machine.write(batchOf(recordsOf([trade(2)])))
  expect(files(machine.disk).size).toBe(2)
})

describe('a disk that is full', () => {
  test('is told with what to do, leaves nothing half written, and the batch is stored when there is room', async () => {
    const expected = await truth()
    const machine = new Machine()
    await machine.open()
    machine.disk.capacityBytes = 4000
    await expect(machine.write(batchOf(BATCHES[0] ?? []))).rejects.toThrow(
      `the lake in ${LAKE} cannot be written: ENOSPC: no space left on device, write; the disk is full: make room, or lower`,
    )
    expect(machine.unfinished).toEqual([])
    expect(files(machine.disk).size).toBe(0)
    machine.disk.capacityBytes = Number.POSITIVE_INFINITY
    for (const records of BATCHES) {
      await machine.open()
      await machine.write(batchOf(records))
    }
    expect(files(machine.disk)).toEqual(expected)
  })

  test.each(['create', 'append', 'sync', 'rename', 'makeFolder', 'syncFolder', 'size', 'close'])(
    'or fails in %s, once at each place: nothing is lost or doubled',
    async (operation) => {
      const expected = await truth()
      for (let at = 1; ; at++) {
        const machine = new Machine()
        let seen = 0
        machine.disk.onOperation = (name) => {
          if (name === operation && ++seen === at) throw diskError('error')
        }
        for (const records of BATCHES) {
          for (let tries = 0; ; tries++) {
            try {
              await machine.open()
              await machine.write(batchOf(records))
              break
            } catch (error) {
              expect(String(error)).toContain('EIO')
              expect(tries).toBe(0)
            }
          }
        }
        machine.kill()
        machine.disk.losePower()
        expect(files(machine.disk), `${operation} ${at}`).toEqual(expected)
        if (seen < at) break
      }
    },
  )
})

test('what ends while it writes is told so, and is complete the next time', async () => {
  const machine = new Machine()
  await machine.open()
  const { sink } = machine.lake
  const writing = machine.write(batchOf(BATCHES[0] ?? []))
  const closing = sink.close()
  await expect(writing).rejects.toThrow('closed while it was writing')
  await closing
  expect(files(machine.disk).size).toBe(0)
  await machine.open()
  await machine.write(batchOf(BATCHES[0] ?? []))
  expect(files(machine.disk).size).toBe(3)
})

/** The oldest goes, and nothing that is not the lake's own. */

import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/platform/random.ts'
import { diskError } from '../../../src/sim/virtual/disk-fault.ts'
import { files, LAKE, Machine } from './machine.ts'
import { batchOf, DAY_US, recordsOf, TIME_US, trade } from './rig.ts'

const STRANGERS = [
  'notes.txt',
  'type=trade/exchange=binance/date=2026-11-01/mine.parquet',
  'type=trade/exchange=binance/date=2026-11-01/log-a%2E1-1-2.parquet',
  'type=trade/exchange=binance/date=yesterday/log-a%2E1-0000000000000001-0000000000000002.parquet',
  'date=2026-11-01/log-a%2E1-0000000000000001-0000000000000002.parquet',
].map((path) => `${LAKE}/${path}`)

const dates = ({ disk }: Machine) => [
  ...new Set(
    [...files(disk).keys()].filter((path) => !STRANGERS.includes(path)).map((path) => /date=([^/]*)/.exec(path)?.[1]),
  ),
]

/** One trade of each of the last days, oldest last. */
const history = (days: number) =>
  Array.from({ length: days }, (_, i) => trade(i, { exchange_time_us: TIME_US - i * DAY_US }))

describe('by age', () => {
  test('dates before the last days are removed, also those that come late, and told', async () => {
    const machine = new Machine(seededRandom(1), { keepDays: 3 })
    for (const path of STRANGERS) machine.disk.put(path, Buffer.from('x'))
    await machine.open()
    await machine.write(batchOf(recordsOf(history(10))))
    expect(dates(machine)).toEqual(['2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23'])
    expect(machine.lake.sink.counts).toMatchObject({ files: 10, removedFiles: 6 })
    const left = [...files(machine.disk)].filter(([path]) => !STRANGERS.includes(path))
    expect(machine.lake.sink.storedBytes).toBe(left.reduce((sum, [, text]) => sum + text.length, 0))
    expect(machine.lake.said.filter((event) => event === 'lake_removed')).toHaveLength(6)
    await machine.write(batchOf(recordsOf(history(6), 100)))
    expect(dates(machine)).toHaveLength(4)
    for (const path of STRANGERS) expect(machine.disk.text(path), path).toBe('x')
  })

  test('a new day takes the oldest one, also of types that get nothing new', async () => {
    const machine = new Machine(seededRandom(1), { keepDays: 1 })
    await machine.open()
    await machine.write(batchOf(recordsOf([trade(1, { exchange: 'quiet' }), ...history(2)])))
    await machine.loop.run(machine.loop.nowMs + 2 * 86_400_000)
    await machine.write(
      batchOf(recordsOf([trade(9, { receive_time_us: TIME_US + 2 * DAY_US, exchange_time_us: undefined })], 50)),
    )
    expect(dates(machine)).toEqual(['2026-11-25'])
  })

  test('0 keeps everything', async () => {
    const machine = new Machine()
    await machine.open()
    await machine.write(batchOf(recordsOf(history(10))))
    expect(dates(machine)).toHaveLength(10)
  })
})

describe('by size', () => {
  test('the oldest dates go first, within a date the oldest records', async () => {
    const probe = new Machine()
    await probe.open()
    await probe.write(batchOf(recordsOf(history(1))))
    const { bytes } = probe.lake.sink.counts
    const machine = new Machine(seededRandom(1), { bytesMax: Math.ceil(bytes * 3.5) })
    for (const path of STRANGERS) machine.disk.put(path, Buffer.from('x'))
    await machine.open()
    await machine.write(batchOf(recordsOf(history(6))))
    expect(dates(machine)).toEqual(['2026-11-21', '2026-11-22', '2026-11-23'])
    for (let lsn = 100; lsn < 104; lsn++) await machine.write(batchOf(recordsOf(history(1), lsn)))
    const left = [...files(machine.disk).keys()].filter((path) => !STRANGERS.includes(path))
    expect(left.map((path) => Number(path.slice(-24, -8)))).toEqual([101, 102, 103])
    expect(machine.lake.sink.counts.removedFiles).toBe(7)
    expect(machine.lake.sink.counts.removedBytes).toBeGreaterThan(6 * bytes)
    for (const path of STRANGERS) expect(machine.disk.text(path), path).toBe('x')
  })

  describe('what others do to the lake is seen within the hour', () => {
    const HOUR_MS = 3_600_000
    const own = ({ disk }: Machine) => [...files(disk).values()].reduce((sum, text) => sum + text.length, 0)

    /** A lake of ten dates that is all but full. */
    async function full(): Promise<{ machine: Machine; bytesMax: number }> {
      const probe = new Machine()
      await probe.open()
      await probe.write(batchOf(recordsOf(history(10))))
      const bytesMax = own(probe) + 100
      const machine = new Machine(seededRandom(1), { bytesMax })
      await machine.open()
      await machine.write(batchOf(recordsOf(history(10))))
      return { machine, bytesMax }
    }

    test('old dates that were moved away make room', async () => {
      const { machine } = await full()
      const old = [...files(machine.disk).keys()].filter((path) => /date=2026-11-1/.test(path))
      expect(old).toHaveLength(6)
      for (const path of old) machine.disk.drop(path)
      await machine.loop.run(machine.loop.nowMs + HOUR_MS)
      for (let lsn = 100; lsn < 105; lsn++) await machine.write(batchOf(recordsOf(history(1), lsn)))
      expect(machine.lake.sink.counts.removedFiles).toBe(0)
      expect(machine.lake.sink.storedBytes).toBe(own(machine))
    })

    test('files of another collector count', async () => {
      const { machine, bytesMax } = await full()
      for (const [path, text] of files(machine.disk)) {
        machine.disk.put(path.replace('log-a', 'log-b'), Buffer.from(text, 'latin1'))
      }
      await machine.loop.run(machine.loop.nowMs + HOUR_MS)
      await machine.write(batchOf(recordsOf(history(1), 100)))
      expect(own(machine)).toBeLessThanOrEqual(bytesMax)
      expect(machine.lake.sink.storedBytes).toBe(own(machine))
    })
  })

  test('files of an earlier process count too', async () => {
    const machine = new Machine(seededRandom(1), { bytesMax: 1 })
    await machine.open()
    const unlimited = new Machine()
    await unlimited.open()
    await unlimited.write(batchOf(recordsOf(history(3))))
    for (const [path, text] of files(unlimited.disk)) machine.disk.put(path, Buffer.from(text, 'latin1'))
    await machine.write(batchOf(recordsOf(history(1), 50)))
    expect(files(machine.disk).size).toBe(0)
  })
})

test('what cannot be removed now is told, costs no data, and is removed later', async () => {
  const machine = new Machine(seededRandom(1), { keepDays: 1 })
  await machine.open()
  machine.disk.onOperation = (operation, path) => {
    if (operation === 'remove' && path.endsWith('.parquet')) throw diskError('error')
  }
  await machine.write(batchOf(recordsOf(history(5))))
  expect(machine.lake.said).toContain('lake_retention_failed')
  expect(dates(machine)).toHaveLength(5)
  machine.disk.onOperation = () => {}
  await machine.write(batchOf(recordsOf(history(1), 50)))
  expect(dates(machine)).toHaveLength(2)
})

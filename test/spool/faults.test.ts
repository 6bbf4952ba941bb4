/** Disks that are full, fail, or forget; among them what has broken the logs of others. */

import { describe, expect, test } from 'vitest'
import { isSound } from '../../src/cli/spool-text.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { diskError } from '../../src/sim/virtual/disk-fault.ts'
import { parseLsn } from '../../src/spool/cursors.ts'
import { inspectSpool } from '../../src/spool/inspect.ts'
import { FOLDER, numbers, Rig, TIME_US } from './rig.ts'

const lsns = (records: readonly { readonly lsn: number }[]) => records.map(({ lsn }) => lsn)
const CURSOR = `${FOLDER}/cursor-nats`

/** Segments of about 30 records each. */
async function fill(rig: Rig, segments: number): Promise<void> {
  for (let i = 0; i < segments * 5; i++) {
    rig.append(6, 80, `stream ${i % 2}`)
    await rig.run(60)
  }
}

describe('bugs of others', () => {
  test('Vector #25570: a file that is gone while its cursor still points to it is passed over, not died of', async () => {
    const rig = new Rig(1, { limits: { keepMs: 0 } })
    await rig.start()
    await fill(rig, 4)
    rig.spool.ack('nats', 60)
    const stored: (number | undefined)[] = []
    rig.disk.onOperation = (operation, path) => {
      if (operation === 'remove' && path.endsWith('.log')) stored.push(parseLsn(rig.disk.text(CURSOR) ?? ''))
    }
    await rig.run(2_000)
    expect(stored.length).toBeGreaterThan(0)
    for (const lsn of stored) expect(lsn).toBe(60)
    // The order of others: the file is gone, the cursor is old.
    rig.kill()
    rig.disk.onOperation = () => {}
    rig.disk.put(CURSOR, Buffer.from('6b9df6f6 7\n'))
    expect(parseLsn(rig.disk.text(CURSOR) ?? '')).toBeUndefined()
    const spool = await rig.start()
    const read = lsns(await rig.readAll(spool.cursor('nats') + 1))
    expect(read.at(-1)).toBe(120)
    expect(read).toEqual(numbers(read[0] ?? 0, 120))
  })

  test('Fluent Bit #10952: what was written with a checksum is there after a kill', async () => {
    for (let ms = 0; ms < 60; ms++) {
      const rig = new Rig(ms)
      await rig.start()
      for (let i = 0; i <= ms; i++) {
        rig.append(3)
        await rig.run(1)
      }
      const { writtenLsn } = rig.spool
      rig.kill()
      await rig.start()
      expect(lsns(await rig.readAll()).slice(0, writtenLsn)).toEqual(numbers(1, writtenLsn))
    }
  })

  test('Fluent Bit #11847: spoilt segments stop nothing: sinks get all the rest, new data flows, and losses are told', async () => {
    const rig = new Rig()
    await rig.start()
    await fill(rig, 6)
    await rig.stop()
    const [first, second, third] = rig.segmentPaths as [string, string, string]
    const bytes = Buffer.from(rig.disk.bytes(first) as Buffer)
    bytes.fill(0, 1000, 1100)
    rig.disk.put(first, bytes)
    rig.disk.put(second, Buffer.alloc(2000, 0xff))
    rig.disk.put(third, Buffer.alloc(0))
    const spool = await rig.start()
    const read = lsns(await rig.readAll(1))
    rig.append(1)
    await rig.run(100)
    expect(lsns(await rig.readAll(181))).toEqual([181])
    expect(spool.problem).toBeUndefined()
    const lost = numbers(1, 180).filter((lsn) => !read.includes(lsn))
    const told = rig.losses.flatMap(({ firstLsn = 0, lastLsn = 0 }) => numbers(firstLsn, lastLsn))
    expect(told).toEqual(lost)
    expect(lost.length).toBeGreaterThan(60)
    expect(rig.disk.paths.filter((path) => path.endsWith('.bad')).length).toBeGreaterThan(0)
  })
})

describe('a power failure', () => {
  test('finds each segment on disk before the next was begun', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const rig = new Rig(seed)
      await rig.start()
      for (let i = 0; i < 4; i++) {
        rig.append(30, 100)
        await rig.run(8)
      }
      const { durableLsn } = rig.spool
      expect(durableLsn).toBeGreaterThanOrEqual(90)
      rig.losePower()
      await rig.start()
      expect(lsns(await rig.readAll()).slice(0, durableLsn), `seed ${seed}`).toEqual(numbers(1, durableLsn))
    }
  })

  test('takes no more than the time between two syncs', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const rig = new Rig(seed, { limits: { segmentBytes: 1_000_000 } })
      await rig.start()
      const appendedMs: number[] = []
      for (let i = 0; i < 100 + seed; i++) {
        appendedMs[rig.append(1) ?? 0] = rig.loop.nowMs
        await rig.run(2)
      }
      const lostMs = rig.loop.nowMs
      rig.losePower()
      await rig.start()
      const next = (lsns(await rig.readAll()).at(-1) ?? 0) + 1
      // The sync interval, the group that was waiting, and what write and sync take.
      expect(lostMs - (appendedMs[next] ?? lostMs), `seed ${seed}`).toBeLessThanOrEqual(50 + 5 + 2)
    }
  })
})

describe('a sync that fails', () => {
  test('is never tried again on the same file: what it covered is written to another', async () => {
    const rig = new Rig()
    await rig.start()
    rig.append(5)
    await rig.run(10)
    const syncs: string[] = []
    rig.disk.onOperation = (operation, path) => {
      if (operation === 'sync' && path.endsWith('.log')) syncs.push(path)
    }
    rig.disk.faults.add('sync')
    await rig.run(52)
    expect(rig.spool.durableLsn).toBe(0)
    expect(rig.problems[0]).toContain('sync: EIO')
    expect(rig.spool.counts.ioErrors.sync).toBeGreaterThan(0)
    // Sinks go on meanwhile.
    rig.append(5)
    await rig.run(20)
    expect(lsns(await rig.readAll())).toEqual(numbers(1, 10))
    rig.disk.faults.clear()
    await rig.run(40_000)
    expect(rig.spool.durableLsn).toBe(10)
    expect(rig.spool.problem).toBeUndefined()
    expect(new Set(syncs).size).toBe(syncs.length)
    rig.losePower()
    await rig.start()
    expect(lsns(await rig.readAll())).toEqual(numbers(1, 10))
    expect(rig.losses).toEqual([])
  })

  test('leaves two copies, and a record is lost only when both are spoilt', async () => {
    for (const spoilt of [[], [0], [1], [0, 1]]) {
      const rig = new Rig()
      await rig.start()
      rig.append(5)
      await rig.run(10)
      rig.disk.faults.add('sync')
      await rig.run(60)
      rig.disk.faults.clear()
      rig.append(5)
      await rig.run(40_000)
      await rig.stop()
      const copies = rig.segmentPaths.filter((path) => (rig.disk.bytes(path)?.length ?? 0) > 200).sort()
      expect(copies.length).toBeGreaterThan(1)
      for (const index of spoilt) {
        const path = copies.at(-1 - index) as string
        const bytes = Buffer.from(rig.disk.bytes(path) as Buffer)
        const at = bytes.indexOf('3 ...')
        expect(at).toBeGreaterThan(0)
        bytes[at] = 0
        rig.disk.put(path, bytes)
      }
      await rig.start()
      const isLost = spoilt.length === copies.length
      expect(lsns(await rig.readAll()), `${spoilt}`).toEqual(numbers(1, 10).filter((lsn) => !isLost || lsn !== 3))
      expect(rig.losses).toMatchObject(isLost ? [{ cause: 'corrupt', firstLsn: 3, lastLsn: 3 }] : [])
    }
  })

  test('and sinks that have everything meanwhile leave a log without holes within its files', async () => {
    const rig = new Rig(1, { limits: { segmentBytes: 1_000_000, memoryBytes: 65_536 } })
    const spool = await rig.start()
    rig.append(3)
    await rig.run(10)
    rig.disk.delaysMs.sync = 30
    rig.disk.faults.add('sync')
    while (spool.problem === undefined) await rig.run(1)
    rig.disk.faults.clear()
    await rig.run(3)
    expect(spool.problem).toBeDefined()
    rig.append(300, 100)
    spool.ack('nats', spool.lastLsn)
    await rig.run(1_000)
    expect(spool.problem).toBeUndefined()
    await rig.stop()
    const { segments } = await rig.wait(inspectSpool(FOLDER, rig.nextProcess().files, undefined))
    expect(segments.flatMap(({ problems }) => problems)).toEqual([])
    expect(segments.every(({ records }) => records > 0)).toBe(true)
    await rig.start()
    expect(rig.spool.cursor('nats')).toBe(303)
    expect(rig.losses).toEqual([])
  })

  test('for ever makes few files, and no loss of what sinks take from memory', async () => {
    const rig = new Rig(1, { limits: { memoryBytes: 600_000 } })
    const spool = await rig.start()
    const reader = spool.reader(1)
    rig.disk.faults.add('sync')
    let read = 0
    for (let i = 0; i < 400; i++) {
      rig.append(30, 100)
      await rig.run(1_000)
      const batch = await rig.wait(reader.read({ recordsMax: 1_000, bytesMax: 1e6 }))
      read += batch.length
      spool.ack('nats', batch.at(-1)?.lsn ?? 0)
    }
    expect(read).toBe(12_000)
    expect(rig.losses).toEqual([])
    expect(rig.segmentPaths.length).toBeLessThan(60)
    expect(spool.bytes.memory).toBeLessThanOrEqual(600_000 + 256 * 1024)
    rig.disk.faults.clear()
    await rig.run(40_000)
    expect(spool.problem).toBeUndefined()
    await rig.stop()
    expect(isSound(await rig.wait(inspectSpool(FOLDER, rig.nextProcess().files, undefined)))).toBe(true)
  })
})

describe('a disk that refuses every write', () => {
  test('fills memory, then refuses data, and tells exactly which', async () => {
    const rig = new Rig(1, { limits: { memoryBytes: 600_000 } })
    const spool = await rig.start()
    rig.disk.faults.add('error')
    let refused = 0
    for (let i = 0; i < 40; i++) {
      for (const stream of ['a', 'b']) if (rig.append(1, 20_000, stream) === undefined) refused++
      await rig.run(100)
    }
    expect(refused).toBeGreaterThan(20)
    expect(spool.counts.refused).toBe(refused)
    expect(rig.losses.every(({ isOngoing }) => isOngoing)).toBe(true)
    expect(rig.append(1, 10, 'a', 'gap')).toBeDefined()
    rig.disk.faults.clear()
    await rig.run(40_000)
    expect(spool.problem).toBeUndefined()
    const next = rig.append(1, 20_000, 'a')
    const [all, ...others] = rig.losses.filter(({ isOngoing = false }) => !isOngoing)
    expect([all, others]).toMatchObject([{ cause: 'refused', sinks: [] }, []])
    const records = all?.streams.reduce((sum, stream) => sum + stream.records, 0)
    expect(records).toBe(refused)
    await rig.run(100)
    expect(lsns(await rig.readAll())).toEqual(numbers(1, next ?? 0))
  })

  test('may strike any operation of closing, also one of two that run side by side', async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed)
      const rig = new Rig(seed)
      await rig.start()
      rig.append(20)
      await rig.run(200 * random())
      rig.append(20)
      await rig.run(60 * random())
      rig.disk.onOperation = () => {
        // So slow at times that the next sync is due before it ends, and ends first.
        rig.disk.delaysMs.sync = 200 * random()
        if (random() < 0.3) throw diskError('error')
      }
      await rig.stop()
      expect(rig.isRunning).toBe(false)
    }
  })

  test('does not keep the log from being closed, and the next process does not give the same numbers', async () => {
    const rig = new Rig()
    await rig.start()
    rig.append(3)
    await rig.run(100)
    rig.disk.onOperation = (operation, path) => {
      if (operation === 'append' && path.endsWith('.log')) throw diskError('error')
    }
    rig.append(3)
    await rig.run(100)
    expect(lsns(await rig.readAll())).toEqual(numbers(1, 6))
    await rig.stop()
    rig.disk.onOperation = () => {}
    const spool = await rig.start()
    expect(spool.recovery.wasInterrupted).toBe(true)
    expect(rig.append()).toBeGreaterThan(1_000)
  })
})

describe('a full disk', () => {
  test('takes new data in the place of the oldest, and tells what each sink lost, by stream', async () => {
    const rig = new Rig(1, { sinks: ['nats', 'clickhouse'] })
    rig.disk.capacityBytes = 24_000
    const spool = await rig.start()
    await fill(rig, 3)
    spool.ack('clickhouse', 40)
    await fill(rig, 8)
    const evicted = rig.losses
    expect(evicted.length).toBeGreaterThan(1)
    let next = 1
    for (const loss of evicted) {
      expect(loss).toMatchObject({ cause: 'evicted', firstLsn: next })
      const count = (loss.lastLsn ?? 0) - next + 1
      expect(loss.streams.reduce((sum, { records }) => sum + records, 0)).toBe(count)
      expect(loss.streams.map(({ stream }) => stream).sort()).toEqual(['stream 0', 'stream 1'])
      expect(loss.sinks).toEqual((loss.lastLsn ?? 0) > 40 ? ['nats', 'clickhouse'] : ['nats'])
      next = (loss.lastLsn ?? 0) + 1
    }
    expect(spool.counts.evicted).toBe(next - 1)
    expect(spool.cursor('nats')).toBe(next - 1)
    expect(lsns(await rig.readAll(next))).toEqual(numbers(next, spool.lastLsn))
    expect(rig.disk.usedBytes).toBeLessThanOrEqual(24_000)
    // Room is made before the disk has to refuse.
    expect(spool.counts.ioErrors.write).toBe(0)
    expect(spool.counts.refused).toBe(0)
  })

  test.each(['spoilt', 'unreadable'] as const)('tells too what is %s in a segment that makes room', async (how) => {
    const limits = { segmentBytes: 2_500_000, quotaBytes: 5_000_000, memoryBytes: 4_000_000 }
    const rig = new Rig(1, { limits })
    await rig.start()
    for (let i = 0; i < 20; i++) {
      rig.append(1, 100_000, `stream ${i < 10 ? 0 : 1}`)
      await rig.run(60)
    }
    const [path = ''] = rig.segmentPaths
    const spoiltFrom = 1_500_000
    const bytes = Buffer.from(rig.disk.bytes(path) as Buffer)
    if (how === 'spoilt') rig.disk.put(path, bytes.fill(0, spoiltFrom, spoiltFrom + 200_000))
    let reads = 0
    rig.disk.onOperation = (operation, of) => {
      if (how === 'unreadable' && operation === 'readAt' && of === path && ++reads === 2) throw diskError('error')
    }
    while (rig.losses.length === 0) {
      rig.append(1, 100_000, 'stream 2')
      await rig.run(60)
    }
    const [evicted] = rig.losses.filter(({ cause }) => cause === 'evicted')
    const spoilt = rig.losses.filter(({ cause }) => cause === 'corrupt')
    for (const { firstLsn = 0, sinceUs, streams } of spoilt)
      expect([sinceUs, streams]).toEqual([TIME_US + firstLsn - 1, []])
    const counted = evicted?.streams.reduce((sum, { records }) => sum + records, 0) ?? 0
    const lost = spoilt.reduce((sum, { firstLsn = 0, lastLsn = 0 }) => sum + lastLsn - firstLsn + 1, 0)
    expect(lost).toBeGreaterThan(1)
    expect(counted + lost).toBe(evicted?.lastLsn)
  })

  test('with the policy `refuse` keeps what sinks lack, takes gap records, and data again when there is room', async () => {
    const rig = new Rig(1, { whenFull: 'refuse', limits: { quotaBytes: 20_000, reserveBytes: 4096 } })
    const spool = await rig.start()
    while (!spool.isFull) await fill(rig, 1)
    expect(rig.append(1, 80)).toBeUndefined()
    const gap = rig.append(1, 80, 'stream 0', 'gap')
    await rig.run(5_000)
    expect(spool.durableLsn).toBe(gap)
    expect(rig.losses.filter(({ cause }) => cause !== 'refused')).toEqual([])
    const total = rig.disk.paths.reduce((sum, path) => sum + (rig.disk.bytes(path)?.length ?? 0), 0)
    expect(total).toBeLessThanOrEqual(20_000 + 4096)
    expect(lsns(await rig.readAll())).toEqual(numbers(1, gap ?? 0))
    spool.ack('nats', gap ?? 0)
    await rig.run(3_000)
    expect(spool.isFull).toBe(false)
    expect(rig.append(1, 80)).toBe((gap ?? 0) + 1)
    expect(rig.losses.at(-1)?.cause).toBe('refused')
  })

  test('from the start on is told once, with what to do', async () => {
    const rig = new Rig()
    rig.disk.capacityBytes = 10
    await expect(rig.start()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('ENOSPC'),
    })
    expect(rig.disk.paths).toEqual([])
  })

  test('does not keep a process from starting that had started before', async () => {
    const rig = new Rig()
    await rig.start()
    rig.append(3)
    await rig.stop()
    rig.disk.capacityBytes = rig.disk.usedBytes + 10
    await rig.start()
    expect(lsns(await rig.readAll())).toEqual([1, 2, 3])
  })

  test('gap records are not lost with what is evicted: they go to the end', async () => {
    const rig = new Rig(1, { limits: { quotaBytes: 20_000 } })
    await rig.start()
    rig.append(1, 50, 'stream 0', 'gap')
    await fill(rig, 12)
    expect(rig.losses.length).toBeGreaterThan(2)
    const there = await rig.readAll(rig.spool.oldestLsn)
    expect(there.filter(({ kind }) => kind === 'gap')).toHaveLength(1)
  })
})

test('a place that is spoilt is lost to those that have not read it yet', async () => {
  const rig = new Rig(1, { sinks: ['nats', 'clickhouse'] })
  await rig.start()
  await fill(rig, 3)
  rig.spool.ack('nats', 90)
  await rig.stop()
  const [path = ''] = rig.segmentPaths
  rig.disk.put(path, Buffer.from(rig.disk.bytes(path) as Buffer).fill(0, 1000, 1100))
  await rig.start()
  await rig.readAll(1)
  await rig.readAll(1)
  expect(rig.losses.map(({ sinks }) => sinks)).toEqual([['clickhouse']])
  // It has lost what it had, and gets it again but for that place.
  rig.spool.rewind('nats', 0)
  await rig.readAll(1)
  expect(rig.losses.map(({ sinks }) => sinks)).toEqual([['clickhouse'], []])
})

describe('a disk that cannot be read for a while', () => {
  test('is tried again; what stays unreadable is told, and reading goes on', async () => {
    const rig = new Rig()
    await rig.start()
    await fill(rig, 3)
    await rig.stop()
    const spool = await rig.start()
    const reader = spool.reader(1)
    rig.disk.faults.add('read')
    const first = reader.read({ recordsMax: 5, bytesMax: 1e6 })
    await rig.run(300)
    rig.disk.faults.clear()
    expect(lsns(await rig.wait(first))).toEqual([1, 2, 3, 4, 5])
    expect(rig.losses).toEqual([])
    rig.disk.faults.add('read')
    rig.append(1)
    await rig.run(20)
    expect(lsns(await rig.wait(spool.reader(1).read({ recordsMax: 5, bytesMax: 1e6 })))).toEqual([91])
    expect(rig.losses.flatMap(({ firstLsn = 0, lastLsn = 0 }) => numbers(firstLsn, lastLsn))).toEqual(numbers(1, 90))
  })

  test.each(['unreadable', 'gone', 'spoilt'] as const)('costs nothing of what is still in memory: %s', async (how) => {
    const rig = new Rig(1, { limits: { segmentBytes: 4_000_000 } })
    const spool = await rig.start()
    for (let i = 0; i < 200; i++) {
      rig.append(1, 10_000)
      await rig.run(20)
    }
    const [path = ''] = rig.segmentPaths
    if (how === 'unreadable') rig.disk.faults.add('read')
    else if (how === 'gone') rig.disk.drop(path)
    else rig.disk.put(path, Buffer.from(rig.disk.bytes(path) as Buffer).fill(0, 200_000))
    const read = lsns(await rig.readAll(1))
    const told = rig.losses.flatMap(({ firstLsn = 0, lastLsn = 0 }) => numbers(firstLsn, lastLsn))
    expect([...read, ...told].sort((a, b) => a - b)).toEqual(numbers(1, spool.lastLsn))
    expect(read.filter((lsn) => lsn > 110)).toEqual(numbers(111, 200))
  })
})

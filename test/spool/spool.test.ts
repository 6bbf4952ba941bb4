import { describe, expect, test } from 'vitest'
import { Scope } from '../../src/sim/virtual/loop.ts'
import { LEFT_OUT_LSNS, openSpool } from '../../src/spool/open.ts'
import { FOLDER, numbers, Rig } from './rig.ts'

const lsns = (records: readonly { readonly lsn: number }[]) => records.map(({ lsn }) => lsn)

describe('appending', () => {
  test('numbers are given at once, records can be read within the group time, and are durable within the sync time', async () => {
    const rig = new Rig()
    const spool = await rig.start()
    expect(rig.append(3)).toBe(3)
    expect(spool.readableLsn).toBe(0)
    await rig.run(6)
    expect([spool.writtenLsn, spool.readableLsn, spool.durableLsn]).toEqual([3, 3, 0])
    await rig.run(55)
    expect(spool.durableLsn).toBe(3)
    expect(lsns(await rig.readAll())).toEqual([1, 2, 3])
  })

  test('a segment is begun before there is anything to write; what comes soon after a write waits for more', async () => {
    const rig = new Rig(1, { limits: { groupMs: 5 } })
    await rig.start()
    await rig.run(10)
    expect(rig.segmentPaths).toHaveLength(1)
    const writtenMs: number[] = []
    rig.disk.onOperation = (operation) => {
      if (operation === 'append') writtenMs.push(Math.floor(rig.loop.nowMs - startMs))
    }
    const startMs = rig.loop.nowMs
    for (const count of [2, 1, 1]) {
      rig.append(count)
      await rig.run(1.5)
    }
    await rig.run(5)
    expect(writtenMs).toEqual([0, 5])
    expect(lsns(await rig.readAll())).toEqual([1, 2, 3, 4])
  })

  test('kind, stream, time and body come back as they went in, from memory and from disk', async () => {
    const rig = new Rig()
    const spool = await rig.start()
    const body = Buffer.from([0, 255, 10, 13])
    spool.append(spool.stream('币安 trade'), 'gap', 1_795_392_000_123_456, body)
    await rig.run(100)
    const expected = { lsn: 1, kind: 'gap', stream: '币安 trade', timeUs: 1_795_392_000_123_456, bodyBytes: 4, body }
    const limits = { recordsMax: 10, bytesMax: 10 }
    expect(await rig.wait(spool.reader(1).read(limits))).toMatchObject([expected])
    await rig.stop()
    const next = await rig.start()
    expect(await rig.wait(next.reader(1).read(limits))).toMatchObject([expected])
  })

  test('with `always` nothing counts as written before it is durable', async () => {
    const rig = new Rig(1, { sync: 'always' })
    const spool = await rig.start()
    rig.append(1)
    let last = 0
    for (let i = 0; i < 100; i++) {
      await rig.run(0.1)
      expect(spool.durableLsn).toBeGreaterThanOrEqual(spool.writtenLsn)
      last = spool.writtenLsn
    }
    expect(last).toBe(1)
  })

  test('with `always` a sink that reads from disk is not given what is not durable either', async () => {
    const rig = new Rig(1, { sync: 'always', limits: { segmentBytes: 1_000_000, memoryBytes: 65_536 } })
    const spool = await rig.start()
    for (let i = 0; i < 20; i++) {
      rig.append(50, 80)
      await rig.run(10)
    }
    rig.disk.delaysMs.sync = 50
    rig.append(50, 80)
    await rig.run(5)
    const { writtenLsn } = spool
    expect(writtenLsn).toBe(1_000)
    const reader = spool.reader(1)
    const limits = { recordsMax: 10_000, bytesMax: 1e9 }
    expect(lsns(await rig.wait(reader.read(limits), 20))).toEqual(numbers(1, writtenLsn))
    expect(await rig.wait(reader.read(limits), 20)).toEqual([])
    await rig.run(100)
    expect(lsns(await rig.wait(reader.read(limits)))).toEqual(numbers(1_001, 1_050))
  })

  test('a slow disk does not keep sinks waiting: what is written can be read while it is synced', async () => {
    const rig = new Rig(1, { limits: { segmentBytes: 1_000_000 } })
    const spool = await rig.start()
    rig.append(1)
    await rig.run(10)
    rig.disk.delaysMs.sync = 500
    for (let i = 0; i < 100; i++) {
      const lsn = rig.append(1) ?? 0
      await rig.run(6)
      expect(spool.readableLsn).toBe(lsn)
    }
  })

  test('many records come out of many segments in order', async () => {
    const rig = new Rig()
    await rig.start()
    for (let i = 0; i < 40; i++) {
      rig.append(20)
      await rig.run(5)
    }
    await rig.run(100)
    expect(rig.segmentPaths.length).toBeGreaterThan(10)
    for (const path of rig.segmentPaths) expect(rig.disk.bytes(path)?.length).toBeLessThanOrEqual(4096)
    await rig.stop()
    await rig.start()
    expect(lsns(await rig.readAll())).toEqual(numbers(1, 800))
    expect(rig.losses).toEqual([])
  })

  test('a body that no record can hold is refused and told; what follows is taken', async () => {
    const rig = new Rig()
    const spool = await rig.start()
    for (const bytes of [17_000_000, 2_000_000])
      expect(spool.append(spool.stream('a'), 'event', 7, Buffer.alloc(bytes))).toBeUndefined()
    expect(rig.append()).toBe(1)
    const first = { stream: 'a', records: 1, firstTimeUs: 7, lastTimeUs: 7 }
    expect(rig.losses).toEqual([{ cause: 'refused', streams: [first], sinks: [], isOngoing: true }])
    await rig.run(3_000)
    expect(rig.losses.slice(1)).toEqual([{ cause: 'refused', streams: [{ ...first, records: 2 }], sinks: [] }])
  })

  test('a name that no stream can have, and an acknowledgement of what is not there, are mistakes', async () => {
    const rig = new Rig()
    const spool = await rig.start()
    expect(() => spool.stream('x'.repeat(256))).toThrow('255')
    expect(() => spool.ack('nats', 1)).toThrow('the log ends at 0')
    expect(() => spool.ack('kafka', 0)).toThrow("no sink 'kafka'")
  })

  test('a record larger than a segment has one of its own', async () => {
    const rig = new Rig()
    await rig.start()
    rig.append(2)
    rig.append(1, 300_000)
    rig.append(2)
    await rig.run(100)
    await rig.stop()
    await rig.start()
    expect(lsns(await rig.readAll())).toEqual([1, 2, 3, 4, 5])
  })
})

describe('waiting', () => {
  test('whoever waits is woken when the record can be read, or the log is closed', async () => {
    const rig = new Rig()
    const spool = await rig.start()
    const first = spool.untilReadable(1)
    let isEnded = false
    void spool.untilReadable(2).then(() => {
      isEnded = true
    })
    rig.append()
    await rig.wait(first, 20)
    expect(isEnded).toBe(false)
    await rig.stop()
    expect(isEnded).toBe(true)
  })
})

describe('reading', () => {
  test('a reader that falls behind memory goes on from disk, and comes back', async () => {
    const rig = new Rig(1, { limits: { segmentBytes: 200_000, memoryBytes: 600_000 } })
    const spool = await rig.start()
    const reader = spool.reader(1)
    const read: number[] = []
    for (let i = 0; i < 60; i++) {
      rig.append(300, 100)
      await rig.run(60)
      if (i % 10 === 9) read.push(...lsns(await rig.wait(reader.read({ recordsMax: 2500, bytesMax: 1e9 }))))
    }
    expect(spool.bytes.memory).toBeLessThanOrEqual(600_000)
    for (;;) {
      const batch = await rig.wait(reader.read({ recordsMax: 999, bytesMax: 1e9 }))
      if (batch.length === 0) break
      read.push(...lsns(batch))
    }
    expect(read).toEqual(numbers(1, 18_000))
  })

  test('limits hold, but one record always comes', async () => {
    const rig = new Rig()
    const spool = await rig.start()
    rig.append(5, 100)
    await rig.run(100)
    const count = async (recordsMax: number, bytesMax: number) =>
      (await rig.wait(spool.reader(1).read({ recordsMax, bytesMax }))).length
    expect(await count(3, 1e6)).toBe(3)
    expect(await count(10, 250)).toBe(2)
    expect(await count(10, 1)).toBe(1)
    await rig.stop()
    const next = await rig.start()
    const fromDisk = async (recordsMax: number, bytesMax: number) =>
      (await rig.wait(next.reader(1).read({ recordsMax, bytesMax }))).length
    expect(await fromDisk(3, 1e6)).toBe(3)
    expect(await fromDisk(10, 250)).toBe(2)
    expect(await fromDisk(10, 1)).toBe(1)
  })

  test('a sink that lost what it had goes back as far as records are kept', async () => {
    const rig = new Rig(1, { limits: { keepMs: 300_000 } })
    const spool = await rig.start()
    for (let i = 0; i < 10; i++) {
      rig.append(50)
      await rig.run(60)
    }
    spool.ack('nats', 500)
    await rig.run(299_000)
    expect(spool.rewind('nats', 100)).toBe(100)
    expect(lsns(await rig.readAll(101))).toEqual(numbers(101, 500))
    spool.ack('nats', 500)
    await rig.run(302_000)
    expect(spool.oldestLsn).toBeGreaterThan(1)
    expect(spool.rewind('nats', 0)).toBe(spool.oldestLsn - 1)
    expect(rig.losses).toEqual([])
  })
})

describe('the lock', () => {
  test('a second process is refused while the first lives, and takes over when it is dead', async () => {
    const rig = new Rig()
    await rig.start()
    rig.append(2)
    await rig.run(100)
    const other = rig.options(new Scope())
    await expect(rig.wait(openSpool(other))).rejects.toMatchObject({ code: 'SPOOL_LOCKED' })
    expect(rig.append(1)).toBe(3)
    await rig.run(100)
    rig.kill()
    const spool = await rig.start()
    expect(spool.recovery).toMatchObject({ wasInterrupted: true, lastLsn: 3, losses: [], notes: [] })
    expect(rig.append(1)).toBe(4 + LEFT_OUT_LSNS)
    await rig.run(100)
    expect(lsns(await rig.readAll())).toEqual([1, 2, 3, 4 + LEFT_OUT_LSNS])
    expect(rig.losses).toEqual([])
  })

  test('a process in another container is watched: it lives while its lock grows', async () => {
    const rig = new Rig()
    await rig.start()
    const other = { ...rig.options(), processes: rig.processes.of(new Scope(), 'another container') }
    const options = { ...other, files: rig.disk.files(new Scope()) }
    await expect(rig.wait(openSpool(options), 20_000)).rejects.toMatchObject({ code: 'SPOOL_LOCKED' })
    rig.kill()
    const scope = new Scope()
    const processes = rig.processes.of(scope, 'another container')
    const spool = await rig.wait(openSpool({ ...rig.options(scope), processes }), 20_000)
    expect(spool.recovery.wasInterrupted).toBe(true)
  })

  test('a lock that nobody could sign in time is left of a dead process', async () => {
    const rig = new Rig()
    rig.disk.put(`${FOLDER}/lock`, Buffer.alloc(0))
    const spool = await rig.start()
    expect(spool.recovery.wasInterrupted).toBe(true)
  })

  test('a log that was closed in order leaves none, and numbers go on', async () => {
    const rig = new Rig()
    await rig.start()
    rig.append(3)
    await rig.stop()
    expect(rig.disk.paths).not.toContain(`${FOLDER}/lock`)
    const spool = await rig.start()
    expect(spool.recovery.wasInterrupted).toBe(false)
    expect(rig.append()).toBe(4)
  })

  test('what a killed process has left beside its files is removed, and nothing else', async () => {
    const rig = new Rig()
    await rig.start()
    rig.append(3)
    await rig.run(100)
    rig.kill()
    const left = ['cursor-nats.17.tmp', 'start.4.tmp', 'lock.99', '0000000000000001.log.new']
    for (const name of [...left, 'notes.txt']) rig.disk.put(`${FOLDER}/${name}`, Buffer.from('x'))
    await rig.start()
    for (const name of left) expect(rig.disk.paths).not.toContain(`${FOLDER}/${name}`)
    expect(rig.disk.paths).toContain(`${FOLDER}/notes.txt`)
    expect(lsns(await rig.readAll())).toEqual([1, 2, 3])
  })

  test('nothing is taken any more when the log is closed', async () => {
    const rig = new Rig()
    const spool = await rig.start()
    rig.append()
    await rig.stop()
    expect(spool.append(spool.stream('a'), 'event', 1, Buffer.from('x'))).toBeUndefined()
    expect(spool.append(spool.stream('a'), 'gap', 1, Buffer.from('x'))).toBeUndefined()
  })

  test('a folder that cannot be used is a mistake of the configuration', async () => {
    const rig = new Rig()
    rig.disk.faults.add('error')
    await expect(rig.start()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(FOLDER),
    })
  })
})

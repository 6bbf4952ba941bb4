/** Gap records are kept whatever makes room, take no more of it than there are gaps, and wait when there is none. */

import { describe, expect, test } from 'vitest'
import type { LogRecord } from '../../src/spool/frame.ts'
import type { LogReader } from '../../src/spool/reader.ts'
import { Rig } from './rig.ts'

const ALL = { recordsMax: 1_000, bytesMax: 1e6 }
const GAP = 'gap okx okx spot BTC-USDT'

/** Segments of about 30 records each. */
async function fill(rig: Rig, segments: number): Promise<void> {
  for (let i = 0; i < segments * 5; i++) {
    rig.append(6, 80)
    await rig.run(60)
  }
}

describe('a sink that works, while another is away,', () => {
  /** NATS has everything, by number; the log was turned over some times. */
  async function apart() {
    const rig = new Rig(1, { sinks: ['nats', 'clickhouse'], limits: { quotaBytes: 30_000 } })
    const log = await rig.start()
    const had: LogRecord[] = []
    const keepUp = async (reader: LogReader) => {
      for (;;) {
        const batch = await rig.wait(reader.read(ALL))
        if (batch.length === 0) return
        had.push(...batch)
        log.ack('nats', batch.at(-1)?.lsn ?? 0)
      }
    }
    const reader = log.reader(1, 'nats')
    rig.append(1, 50, GAP, 'gap')
    for (let i = 0; i < 60; i++) {
      await fill(rig, 1)
      await keepUp(reader)
    }
    const gaps = () => had.filter(({ kind }) => kind === 'gap')
    return { rig, log, gaps, keepUp }
  }

  test('gets a gap record once, and the other one still gets it', async () => {
    const { rig, log, gaps } = await apart()
    expect(rig.losses.length).toBeGreaterThan(40)
    expect(gaps()).toHaveLength(1)
    expect(log.cursor('nats')).toBe(log.lastLsn)
    const lacking = await rig.readAll(log.cursor('clickhouse') + 1)
    expect(lacking.filter(({ kind }) => kind === 'gap')).toHaveLength(1)
  })

  test('gets it again when it has lost it', async () => {
    const { log, gaps, keepUp } = await apart()
    log.rewind('nats', 500)
    await keepUp(log.reader(log.cursor('nats') + 1, 'nats'))
    expect(gaps(), 'it was set back behind the gap').toHaveLength(1)
    log.rewind('nats', 0)
    await keepUp(log.reader(log.cursor('nats') + 1, 'nats'))
    expect(gaps(), 'it was made anew').toHaveLength(2)
  })

  test('stands at the end also when that is what it has had', async () => {
    const { rig, log, keepUp } = await apart()
    const reader = log.reader(log.cursor('nats') + 1, 'nats')
    const losses = rig.losses.length
    while (rig.losses.length === losses) {
      rig.append(6, 80)
      await rig.run(60)
      await keepUp(reader)
    }
    expect(log.cursor('nats')).toBe(log.lastLsn)
  })
})

describe('gap records of a long outage', () => {
  /** `gap id revision` of each loss, as the ledger makes them. */
  async function away(turns: number) {
    const revisions = new Map<string, number>()
    const rig = new Rig(1, {
      limits: { quotaBytes: 40_000 },
      isNewest: ({ body }) => {
        const [, id = '', revision] = body.toString().split(' ')
        return Number(revision) >= (revisions.get(id) ?? 0)
      },
    })
    rig.onLoss = ({ streams, outage }) => {
      for (const { stream } of streams) {
        if (!stream.startsWith('trade')) continue
        const id = `${stream.at(-1)}${outage}`
        revisions.set(id, (revisions.get(id) ?? 0) + 1)
        const body = `gap ${id} ${revisions.get(id)} `.padEnd(80, '.')
        rig.spool.append(rig.spool.stream(GAP), 'gap', 1, Buffer.from(body))
      }
    }
    await rig.start()
    for (let i = 0; i < turns; i++) {
      for (const stream of ['trade A', 'trade B', 'trade C']) rig.append(2, 80, stream)
      await rig.run(60)
    }
    return { rig, revisions }
  }

  test('are as many as there are streams: the newest of each gap is kept, and data have the rest of the room', async () => {
    const { rig, revisions } = await away(2_000)
    expect(rig.losses.length).toBeGreaterThan(300)
    expect([...revisions.keys()]).toEqual(['A1', 'B1', 'C1'])
    const bodies: string[] = []
    let events = 0
    const reader = rig.spool.reader(rig.spool.oldestLsn)
    for (let batch = await rig.wait(reader.read(ALL)); batch.length > 0; batch = await rig.wait(reader.read(ALL)))
      for (const { kind, body } of batch) kind === 'gap' ? bodies.push(body.toString()) : events++
    for (const [id, revision] of revisions)
      expect(bodies.filter((body) => body.startsWith(`gap ${id} ${revision} `))).toHaveLength(1)
    expect(events).toBeGreaterThan(5 * bodies.length)
    expect(rig.spool.counts.refused).toBe(0)
  })

  test('begin anew once the sink has heard of the last one', async () => {
    const { rig, revisions } = await away(400)
    const { spool } = rig
    spool.ack('nats', spool.lastLsn)
    const losses = rig.losses.length
    while (rig.losses.length < losses + 3) {
      for (const stream of ['trade A', 'trade B', 'trade C']) rig.append(2, 80, stream)
      await rig.run(60)
    }
    expect([...revisions.keys()]).toEqual(['A1', 'B1', 'C1', 'A2', 'B2', 'C2'])
  })
})

test('a gap record for which there is no room waits, is told, and comes before all that is taken then', async () => {
  const waiting: number[] = []
  const rig = new Rig(1, { limits: { memoryBytes: 600_000 }, onGapsWaiting: (count) => void waiting.push(count) })
  const spool = await rig.start()
  rig.disk.faults.add('error')
  let count = 0
  for (let i = 0; i < 400; i++) {
    rig.append(1, 20_000, GAP, 'gap')
    count++
    if (i % 10 === 0) await rig.run(100)
  }
  expect(spool.counts.gapsWaiting).toBeGreaterThan(100)
  expect(waiting).toEqual([1])
  expect(rig.append(1, 10)).toBeUndefined()
  rig.disk.faults.clear()
  await rig.run(60_000)
  expect([spool.counts.gapsWaiting, waiting]).toEqual([0, [1, 0]])
  const last = rig.append(1, 10)
  await rig.run(100)
  const records: LogRecord[] = []
  const reader = spool.reader(1)
  for (let batch = await rig.wait(reader.read(ALL)); batch.length > 0; batch = await rig.wait(reader.read(ALL)))
    records.push(...batch)
  expect(records.filter(({ kind }) => kind === 'gap').map(({ body }) => Number.parseInt(body.toString(), 10))).toEqual(
    Array.from({ length: count }, (_, index) => index + 1),
  )
  expect(records.at(-1)).toMatchObject({ lsn: last, kind: 'event' })
})

test('a process that finds the disk full keeps its gap records over a kill, in the room of the reserve', async () => {
  for (let waitMs = 0; waitMs < 8; waitMs += 0.25) {
    const rig = new Rig(1, { limits: { quotaBytes: 40_000, reserveBytes: 8_192 } })
    await rig.start()
    while (rig.losses.length === 0) {
      rig.append(1, 50, GAP, 'gap')
      await fill(rig, 1)
    }
    await rig.stop()
    rig.disk.capacityBytes = rig.disk.usedBytes + 1_000
    const gapsBehind = async () => {
      const records = await rig.readAll(rig.spool.cursor('nats') + 1)
      return records.flatMap(({ kind, body }) => (kind === 'gap' ? body.toString() : []))
    }
    await rig.start()
    const gaps = (await gapsBehind()).toSorted()
    expect(gaps.length).toBeGreaterThan(5)
    let isGone = false
    rig.disk.onOperation = (operation, path) => {
      if (operation === 'remove' && path.endsWith('.log')) isGone = true
    }
    while (!isGone) {
      rig.append(6, 80)
      for (let i = 0; i < 240 && !isGone; i++) await rig.run(0.25)
    }
    await rig.run(waitMs)
    rig.kill()
    rig.disk.onOperation = () => {}
    await rig.start()
    expect((await gapsBehind()).toSorted(), `killed after ${waitMs} ms`).toEqual(gaps)
  }
})

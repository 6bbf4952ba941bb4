import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NATS_DEFAULTS } from '../../../src/sinks/nats/options.ts'
import { anyNats, anyNatsMissing } from '../../helpers/nats-server.ts'
import { batchOf, managed, Rig, record, storedIn, streamConfig, until } from './rig.ts'

/** A given server may have streams of others, and of earlier runs. */
const NAME = `TEST_${process.pid}`
const PREFIX = NAME.toLowerCase()

describe.skipIf(anyNatsMissing !== undefined)('a NATS stream', () => {
  let server: Awaited<ReturnType<typeof anyNats>>
  let rig: Rig

  beforeEach(async () => {
    server = await anyNats()
    rig = new Rig(server.url, { prefix: PREFIX, stream: { ...NATS_DEFAULTS.stream, name: NAME } })
  })

  afterEach(async () => {
    await rig.remove()
    await managed(server.url, (jsm) => jsm.streams.delete(NAME))
    await server.remove()
  })

  test('is made when it is missing, and takes nothing rather than lose the oldest', async () => {
    expect(await rig.sink.open()).toEqual({ throughLsn: 0 })
    const config = await streamConfig(server.url, NAME)
    expect(config).toMatchObject({ subjects: [`${PREFIX}.>`], storage: 'file', discard: 'new', retention: 'limits' })
    expect(config).toMatchObject({ max_age: 86_400e9, duplicate_window: 600e9, max_bytes: -1 })
    expect(rig.warnings).toEqual([])
  })

  test('has the bytes of each event, its id and its number, on the subject of its market', async () => {
    await rig.sink.open()
    const records = [record(1), record(2, 'A.B*C>D E/F é', 'quote'), record(3, 'ETH-PERP', 'gap')]
    await rig.sink.write(batchOf(records))
    const stored = await storedIn(server.url, NAME)
    expect(stored.map(({ text }) => text)).toEqual(records.map(({ body }) => body.toString()))
    expect(stored.map(({ subject }) => subject)).toEqual([
      `${PREFIX}.trade.acme.spot.BTCUSDT`,
      `${PREFIX}.quote.acme.spot.A%2EB%2AC%3ED%20E%2FF%20%C3%A9`,
      `${PREFIX}.gap.acme.spot.ETH-PERP`,
    ])
    expect(stored[0]?.headers).toEqual({
      'Nats-Msg-Id': ['acme:trade:BTCUSDT:0:1'],
      'Mp-Lsn': ['1'],
      'Mp-Log': ['log-1'],
      'Content-Type': ['application/json'],
    })
    expect(stored[1]?.id).toBe('acme:quote:A.B*C>D E/F é:0:2')
    expect(rig.sink.counts).toMatchObject({ acked: 3 })
    expect(rig.sink.underWay).toEqual({ messages: 0, bytes: 0 })
  })

  test('has ten thousand events in the order of the log', async () => {
    rig.append(10_000)
    rig.pump()
    await rig.untilPumped()
    const stored = await storedIn(server.url, NAME)
    expect(stored.map(({ headers }) => Number(headers['Mp-Lsn']))).toEqual(rig.log.map(({ lsn }) => lsn))
  })

  test('stores an id once, however often it comes', async () => {
    await rig.sink.open()
    for (const lsn of [1, 1, 2]) await rig.sink.write(batchOf([record(lsn)]))
    expect(rig.sink.counts).toMatchObject({ acked: 3, duplicates: 1 })
    expect(await storedIn(server.url, NAME)).toHaveLength(2)
  })

  test('has nothing behind a record that could not be read: it would hide that one is missing', async () => {
    await rig.sink.open()
    const broken = { ...batchOf([record(1), record(2)]), records: () => failing() }
    const [first, second] = await Promise.allSettled([rig.sink.write(broken), rig.sink.write(batchOf([record(3)]))])
    expect(first).toMatchObject({ status: 'rejected', reason: { message: 'cannot read' } })
    expect(second).toMatchObject({ status: 'rejected' })
    await until(async () => (await storedIn(server.url, NAME)).length > 0, 'the first is stored')
    await rig.sink.close()
    rig.restart()
    expect(await rig.sink.open()).toEqual({ throughLsn: 1, further: new Set() })
  })
})

async function* failing() {
  yield [record(1)]
  throw new Error('cannot read')
}

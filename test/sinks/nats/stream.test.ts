/** Streams that are there already, that cannot be made, that are full; records that no server takes. */

import { DiscardPolicy, StorageType } from '@nats-io/jetstream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemFiles } from '../../../src/platform/files.ts'
import { readCheckpoint } from '../../../src/sinks/nats/checkpoint.ts'
import { NATS_DEFAULTS } from '../../../src/sinks/nats/options.ts'
import { NatsSink } from '../../../src/sinks/nats/sink.ts'
import { NatsServer, natsMissing } from '../../helpers/nats-server.ts'
import { batchOf, managed, Rig, record, storedIn, streamConfig, until } from './rig.ts'

describe.skipIf(natsMissing !== undefined)('a stream', () => {
  let server: NatsServer
  let rig: Rig

  beforeEach(async () => {
    server = await NatsServer.start({ config: 'max_payload: 100KB' })
    rig = new Rig(server.url)
  })

  afterEach(async () => {
    await rig.remove()
    await server.remove()
  })

  const add = (config: object) =>
    managed(server.url, (jsm) => jsm.streams.add({ name: 'MARKET_DATA', subjects: ['market.>'], ...config }))

  test('that is weaker is used as it is, and each weakness is told once', async () => {
    await add({ storage: StorageType.Memory, discard: DiscardPolicy.Old, max_msgs: 100, duplicate_window: 60e9 })
    const before = await streamConfig(server.url)
    await rig.sink.open()
    await rig.sink.close()
    await rig.sink.open()
    expect(rig.warnings).toHaveLength(3)
    expect(rig.warnings.join()).toMatch(/memory.*discards the oldest.*60 s, not 600 s/)
    expect(await streamConfig(server.url)).toEqual(before)
  })

  test('that does not take our subjects is an error that says so', async () => {
    await add({ subjects: ['other.>'] })
    await expect(rig.sink.open()).rejects.toThrow(/MARKET_DATA does not take market\.>: its subjects are other\.>/)
  })

  test('that acknowledges nothing is an error', async () => {
    await add({ no_ack: true })
    await expect(rig.sink.open()).rejects.toThrow(/acknowledges nothing/)
  })

  test('that cannot be made beside another is an error, until the other has gone', async () => {
    await managed(server.url, (jsm) => jsm.streams.add({ name: 'OTHER', subjects: ['market.trade.>'] }))
    await expect(rig.sink.open()).rejects.toThrow(/cannot create the stream MARKET_DATA for market\.>: .*overlap/)
    await managed(server.url, (jsm) => jsm.streams.delete('OTHER'))
    await rig.sink.open()
    await rig.sink.write(batchOf([record(1)]))
  })

  test('that is full takes nothing new and loses nothing old', async () => {
    const bytesMax = 64 * 1024
    const full = new Rig(server.url, { stream: { ...NATS_DEFAULTS.stream, bytesMax } })
    full.append(1000)
    full.pump()
    await until(() => full.failures.length > 1, 'it is full')
    expect(full.failures[0]).toMatch(/maximum bytes exceeded \(10077\): the stream is full/)
    const oldest = (await storedIn(server.url))[0]
    expect(oldest?.headers['Mp-Lsn']).toEqual(['1'])
    await managed(server.url, (jsm) => jsm.streams.update('MARKET_DATA', { max_bytes: 10 * 1024 * 1024 }))
    await full.untilPumped()
    const lsns = (await storedIn(server.url)).map(({ headers }) => Number(headers['Mp-Lsn']))
    expect(lsns.sort((a, b) => a - b)).toEqual(full.log.map(({ lsn }) => lsn))
    await full.remove()
  })

  test('does not get what no server takes; the rest goes on', async () => {
    await rig.sink.open()
    const large = record(2, 'BTCUSDT', 'book_snapshot', { reason: 'x'.repeat(100 * 1024) })
    const bad = { ...record(3), stream: 'trade acme acme spot ' }
    const nameless = { ...record(4), body: Buffer.from('{"type":"trade"}') }
    const lines = record(5, 'BTCUSDT', 'trade', { id: 'a\r\nNats-Expected-Stream: other' })
    await rig.sink.write(batchOf([record(1), large, bad, nameless, lines, record(6)]))
    expect(rig.rejected.map(([{ lsn }]) => lsn)).toEqual([2, 3, 4, 5])
    expect(rig.rejected[0]?.[1]).toMatch(/it has \d+ bytes with its headers; NATS takes 102400 \(max_payload/)
    expect((await storedIn(server.url)).map(({ headers }) => headers['Mp-Lsn']?.[0])).toEqual(['1', '6'])
    expect(rig.sink.counts).toMatchObject({ acked: 2 })
  })

  test('refuses messages that are too large for it alone; the rest goes on', async () => {
    await add({ max_msg_size: 1000 })
    await rig.sink.open()
    const large = record(2, 'BTCUSDT', 'book_snapshot', { reason: 'x'.repeat(2000) })
    await rig.sink.write(batchOf([record(1), large, record(3)]))
    expect(rig.rejected).toEqual([[large, expect.stringMatching(/NATS takes 1000 \(.*max_msg_size of the stream\)/)]])
    expect(await storedIn(server.url)).toHaveLength(2)
  })

  test('whose limit has changed meanwhile refuses what is too large, and nothing else', async () => {
    await add({})
    rig.pump()
    await until(() => rig.held.length > 0, 'it is open')
    await managed(server.url, (jsm) => jsm.streams.update('MARKET_DATA', { max_msg_size: 1000 }))
    rig.append(100)
    rig.log[49] = record(50, 'BTCUSDT', 'book_snapshot', { reason: 'x'.repeat(2000) })
    await rig.untilPumped()
    expect(rig.rejected.map(([{ lsn }]) => lsn)).toEqual([50])
    const lsns = (await storedIn(server.url)).map(({ headers }) => Number(headers['Mp-Lsn']))
    expect(lsns).toEqual(rig.log.map(({ lsn }) => lsn).filter((lsn) => lsn !== 50))
  })

  test('gets nothing again because the prefix of our subjects was changed, and changed back', async () => {
    await add({ subjects: ['market.>', 'other.>'], duplicate_window: 100e6 })
    const went: number[] = []
    for (const prefix of ['market', 'other', 'market']) {
      rig.sink = new NatsSink({ ...rig.options, prefix }, rig.ports())
      rig.append(100)
      rig.pump()
      await rig.untilPumped()
      // A checkpoint is written once a second.
      const isSaved = async () =>
        (await readCheckpoint(systemFiles, rig.ports().stateFolder, 'log-1', 'MARKET_DATA'))?.prefix
      await until(async () => (await isSaved()) === prefix, 'the checkpoint is written')
      await rig.stopPump()
      went.push((await storedIn(server.url)).length)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    expect(went).toEqual([100, 200, 300])
    expect(rig.warnings.filter((text) => text.includes('restored'))).toEqual([])
  })

  test('is looked for on a server without JetStream in vain, with a word about it', async () => {
    const plain = await NatsServer.start({ config: 'jetstream: disabled' })
    const other = new Rig(plain.url)
    await expect(other.sink.open()).rejects.toThrow(/cannot ask for the stream MARKET_DATA: .*[jJ]et[sS]tream/)
    await other.remove()
    await plain.remove()
  })

  test('is not reached where nobody listens, and no word of a secret is said', async () => {
    const { port } = new URL(server.url)
    await server.stop()
    const nobody = new Rig(`nats://someone:hidden@localhost:${port}`)
    await expect(nobody.sink.open()).rejects.toThrow(`cannot connect to NATS at localhost:${port}: connection refused`)
    await nobody.remove()
  })

  test('is asked for again and again while the server stands still, on no more sockets than one', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length
    const before = sockets()
    server.freeze()
    for (let i = 0; i < 4; i++) await expect(rig.sink.open()).rejects.toThrow(/cannot connect/)
    await until(() => sockets() <= before, 'the sockets are closed')
    server.thaw()
    await rig.sink.open()
  })
})

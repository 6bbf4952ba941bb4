/** What servers and networks do to the sink. Each test ends with the stream compared with the log: all of it, once. */

import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NATS_DEFAULTS } from '../../../src/sinks/nats/options.ts'
import { NatsServer, natsMissing } from '../../helpers/nats-server.ts'
import { TcpProxy } from '../../helpers/tcp-proxy.ts'
import { batchOf, managed, Rig, record, storedIn, until } from './rig.ts'

/** The server forgets ids after a second. */
const FORGETFUL = { stream: { ...NATS_DEFAULTS.stream, duplicateSeconds: 1 } } as const
const FORGOTTEN_MS = 2500
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe.skipIf(natsMissing !== undefined)('the stream has all of the log once', () => {
  let server: NatsServer
  let rig: Rig

  beforeEach(async () => {
    server = await NatsServer.start()
    rig = new Rig(server.url, FORGETFUL)
  })

  afterEach(async () => {
    await rig.remove()
    await server.remove()
  })

  async function expectAllOnce(): Promise<void> {
    await rig.untilPumped()
    const ids = (await storedIn(server.url)).map(({ id }) => id)
    expect(new Set(ids).size, 'duplicates').toBe(ids.length)
    expect([...ids].sort()).toEqual(rig.log.map(({ lsn }) => `acme:trade:BTCUSDT:0:${lsn}`).sort())
  }

  test('after kills of the server under load, each longer than it knows ids', async () => {
    rig.append(3000)
    rig.pump()
    for (let kill = 0; kill < 3; kill++) {
      const target = rig.sink.counts.acked + 500
      await until(() => rig.sink.counts.acked >= target, 'some are stored')
      await server.kill()
      rig.append(3000)
      await pause(FORGOTTEN_MS)
      await server.start()
    }
    await expectAllOnce()
    expect(rig.sink.counts.rollbacks).toBe(0)
  })

  test('after a server stood still, with no more under way than the window', async () => {
    const small = new Rig(server.url, { ...FORGETFUL, windowMessages: 300 })
    try {
      small.append(20_000)
      small.pump()
      await until(() => small.sink.counts.acked > 0, 'some are stored')
      server.freeze()
      // All of it may have been acknowledged before.
      small.append(1000)
      const startMs = performance.now()
      let most = 0
      // On a busy machine the silence may be noticed before anybody looks at the window.
      await until(() => {
        most = Math.max(most, small.sink.underWay.messages)
        return small.failures.length > 0
      }, 'the silence is noticed')
      expect(most).toBeLessThanOrEqual(300)
      expect(performance.now() - startMs).toBeLessThan(5000)
      expect(small.sink.underWay).toEqual({ messages: 0, bytes: 0 })
      await until(() => small.failures.length > 2, 'it is tried again')
      server.thaw()
      await small.untilPumped()
      const lsns = (await storedIn(server.url)).map(({ headers }) => Number(headers['Mp-Lsn']))
      expect(lsns.sort((a, b) => a - b)).toEqual(small.log.map(({ lsn }) => lsn))
    } finally {
      await small.remove()
    }
  })

  test('when what was stored was never acknowledged, and the server has forgotten the ids', async () => {
    const proxy = new TcpProxy(Number(new URL(server.url).port))
    const behind = new Rig(`nats://127.0.0.1:${await proxy.listen()}`, FORGETFUL)
    try {
      await behind.sink.open()
      await behind.sink.write(batchOf([record(1), record(2)]))
      proxy.isSwallowing = true
      const lost = behind.sink.write(batchOf([record(3), record(4), record(5)]))
      await until(async () => (await storedIn(server.url)).length === 5, 'the server has stored them')
      await expect(lost).rejects.toThrow(/pings|acknowledged|ended/)
      await behind.sink.close()
      proxy.isSwallowing = false
      await pause(FORGOTTEN_MS)
      behind.append(6)
      behind.cursor = 2
      behind.pump()
      await behind.untilPumped()
      expect(behind.held[0]).toEqual({ throughLsn: 5, further: new Set() })
      expect((await storedIn(server.url)).map(({ id }) => id.split(':').at(-1))).toEqual(['1', '2', '3', '4', '5', '6'])
    } finally {
      await behind.remove()
      proxy.close()
    }
  })

  test('when single acknowledgements are lost on a living connection: the same id is sent again', async () => {
    await rig.sink.open()
    await managed(server.url, (jsm) => jsm.streams.update('MARKET_DATA', { duplicate_window: 60e9 }))
    await rig.sink.close()
    await rig.sink.open()
    const proxy = new TcpProxy(Number(new URL(server.url).port))
    const behind = new Rig(`nats://127.0.0.1:${await proxy.listen()}`, { ...FORGETFUL, pingMs: 60_000 })
    try {
      await behind.sink.open()
      proxy.isSwallowing = true
      const written = behind.sink.write(batchOf([record(1), record(2)]))
      await until(async () => (await storedIn(server.url)).length === 2, 'the server has stored them')
      proxy.isSwallowing = false
      await written
      expect(behind.sink.counts).toMatchObject({ acked: 2, duplicates: 2, timeouts: 2, retries: 2, connections: 1 })
      expect(await storedIn(server.url)).toHaveLength(2)
    } finally {
      await behind.remove()
      proxy.close()
    }
  })

  test('when acknowledgements are lost for longer than the server knows ids: nothing is sent again blindly', async () => {
    const proxy = new TcpProxy(Number(new URL(server.url).port))
    const behind = new Rig(`nats://127.0.0.1:${await proxy.listen()}`, { ...FORGETFUL, pingMs: 60_000 })
    try {
      await behind.sink.open()
      proxy.isSwallowing = true
      const written = behind.sink.write(batchOf([record(1), record(2)]))
      await expect(written).rejects.toThrow(/has not acknowledged a message for/)
      await pause(FORGOTTEN_MS)
      expect(behind.sink.counts).toMatchObject({ timeouts: 2, retries: 0 })
      expect(await storedIn(server.url)).toHaveLength(2)
    } finally {
      await behind.remove()
      proxy.close()
    }
  })

  test('when others publish into the stream between our messages', async () => {
    const connection = await connect({ servers: server.url })
    try {
      rig.append(3000)
      rig.pump()
      await until(() => rig.sink.counts.acked > 0, 'some are stored')
      for (let i = 0; rig.cursor < rig.log.length || i < 200; i++) {
        connection.publish('market.trade.other.spot.X', '{}')
        if (i % 10 === 0) rig.append(100)
        if (i < 200) await connection.flush()
        else await rig.untilPumped()
      }
    } finally {
      await connection.close()
    }
    await rig.untilPumped()
    const ours = (await storedIn(server.url)).filter(({ headers }) => headers['Mp-Log'] !== undefined)
    expect(
      ours.map(({ headers }) => Number(headers['Mp-Lsn'])),
      'once, and in order',
    ).toEqual(rig.log.map(({ lsn }) => lsn))
    expect(rig.failures).toEqual([])
    expect(rig.sink.counts.retries, 'one of theirs stood between ours').toBeGreaterThan(0)
  })

  test('when the server knows one in the middle already', async () => {
    await rig.sink.open()
    await managed(server.url, (jsm) => jsm.streams.update('MARKET_DATA', { duplicate_window: 60e9 }))
    rig.pump()
    await until(() => rig.held.length > 0, 'it is open')
    const connection = await connect({ servers: server.url })
    await jetstream(connection).publish('market.trade.acme.spot.BTCUSDT', '{}', { msgID: 'acme:trade:BTCUSDT:0:50' })
    await connection.close()
    rig.append(100)
    await expectAllOnce()
  })

  test('after the stream was made anew between two messages on a living connection', async () => {
    rig.append(2)
    rig.pump()
    await rig.untilPumped()
    await managed(server.url, async (jsm) => {
      const { config } = await jsm.streams.info('MARKET_DATA')
      await jsm.streams.delete('MARKET_DATA')
      await jsm.streams.add(config)
    })
    rig.append(3)
    await expectAllOnce()
    expect(rig.failures).toEqual([expect.stringContaining('restored or made anew')])
  })

  test('after the server was set back to an older copy under the running sink', async () => {
    const startUs = Date.now() * 1_000
    rig.append(2000)
    rig.pump()
    await rig.untilPumped()
    await server.stop()
    const copiedUs = Date.now() * 1_000
    server.copyStore('older')
    await server.start()
    rig.append(3000)
    await rig.untilPumped()
    await server.stop()
    server.restoreStore('older')
    await pause(FORGOTTEN_MS)
    await server.start()
    rig.append(1000)
    await expectAllOnce()
    const set = rig.held.find((held) => held?.hasLost)
    expect(set).toMatchObject({ throughLsn: 2000 })
    expect(set?.sinceUs).toBeGreaterThan(startUs)
    expect(set?.sinceUs).toBeLessThan(copiedUs)
    expect(rig.sink.counts.rollbacks).toBe(1)
    expect(rig.warnings.join()).toContain('restored from an older copy')
  })

  test('after it was set back, and others have filled it up again before we come back', async () => {
    rig.append(50)
    rig.pump()
    await rig.untilPumped()
    await server.stop()
    server.copyStore('older')
    await server.start()
    rig.append(20)
    await rig.untilPumped()
    await rig.stopPump()
    await server.stop()
    server.restoreStore('older')
    await server.start()
    const other = new Rig(server.url, FORGETFUL, 'log-of-another')
    await other.sink.open()
    await other.sink.write(batchOf(Array.from({ length: 40 }, (_, i) => record(i + 1, 'ETHUSDT'))))
    await other.remove()
    rig.restart()
    rig.held.length = 0
    rig.pump()
    await until(() => rig.held.length > 0, 'it is open')
    expect(rig.held).toEqual([{ throughLsn: 50, further: new Set(), hasLost: true, sinceUs: expect.any(Number) }])
    await rig.untilPumped()
    const ours = (await storedIn(server.url)).filter(({ headers }) => headers['Mp-Log']?.[0] === 'log-1')
    expect(ours.map(({ headers }) => Number(headers['Mp-Lsn']))).toEqual(rig.log.map(({ lsn }) => lsn))
  })

  test('after the stream was deleted: it is made again and filled with what the log has', async () => {
    rig.append(1000)
    rig.pump()
    await rig.untilPumped()
    await managed(server.url, (jsm) => jsm.streams.delete('MARKET_DATA'))
    rig.append(10)
    await until(() => rig.failures.length > 0, 'it is noticed')
    expect(rig.failures[0]).toContain('no stream takes this subject')
    await expectAllOnce()
  })

  test('after the next process begins with a cursor behind what was stored', async () => {
    rig.append(5000)
    rig.pump()
    await rig.untilPumped()
    await rig.stopPump()
    await pause(FORGOTTEN_MS)
    rig.cursor = 0
    rig.restart()
    rig.pump()
    await until(() => rig.held.length === 2, 'it is open')
    expect(rig.held[1]?.throughLsn).toBe(5000)
    await expectAllOnce()
  })

  test('also when the process has lost what it remembers', async () => {
    rig.append(5000)
    rig.pump()
    await rig.untilPumped()
    await rig.stopPump()
    await pause(FORGOTTEN_MS)
    const forgetful = new Rig(server.url, FORGETFUL)
    expect(await forgetful.sink.open()).toEqual({ throughLsn: 5000, further: new Set() })
    await forgetful.remove()
  })

  test('and what was refused for good before a break is not given to us, and refused, again', async () => {
    rig.append(100)
    rig.log[49] = { ...record(50), body: Buffer.from('{"type":"trade"}') }
    rig.pump()
    await rig.untilPumped()
    await server.kill()
    await server.start()
    rig.append(1)
    await rig.untilPumped()
    expect(rig.held.slice(1)).toEqual([{ throughLsn: 100 }])
    expect(rig.rejected.map(([{ lsn }]) => lsn)).toEqual([50])
  })

  test('but what has aged out, or was purged, is not sent again', async () => {
    rig.append(1000)
    rig.pump()
    await rig.untilPumped()
    await rig.stopPump()
    await managed(server.url, (jsm) => jsm.streams.purge('MARKET_DATA'))
    rig.restart()
    expect(await rig.sink.open()).toEqual({ throughLsn: 1000 })
    await rig.sink.write(batchOf([record(1001)]))
    expect((await storedIn(server.url)).map(({ headers }) => headers['Mp-Lsn']?.[0])).toEqual(['1001'])
  })

  test('records of another log are none of ours', async () => {
    const other = new Rig(server.url, FORGETFUL, 'log-of-another')
    await other.sink.open()
    await other.sink.write(batchOf([record(500, 'ETHUSDT')]))
    await other.remove()
    expect(await rig.sink.open()).toBeUndefined()
  })

  test('what a restarted collector has once more is not stored twice, though the server has forgotten it', async () => {
    await rig.sink.open()
    await rig.sink.write(batchOf([record(1), record(2)]))
    await pause(FORGOTTEN_MS)
    rig.restart()
    await rig.sink.open()
    const again = { ...record(2), lsn: 10_000_003 }
    await rig.sink.write(batchOf([again, record(10_000_004)]))
    expect(rig.sink.counts.skipped).toBe(1)
    expect(await storedIn(server.url)).toHaveLength(3)
  })
})

/** Faults in a random order, from a seed: after all of them the stream has all of the log, once. */

import { afterEach, expect, test } from 'vitest'
import { seededRandom } from '../../../src/platform/random.ts'
import { NATS_DEFAULTS } from '../../../src/sinks/nats/options.ts'
import { NatsServer, natsMissing } from '../../helpers/nats-server.ts'
import { TcpProxy } from '../../helpers/tcp-proxy.ts'
import { Rig, storedIn, until } from './rig.ts'

const SEEDS = (process.env.NATS_SEEDS ?? '1').split(',').map(Number)
const FAULTS = 12
/** The server forgets ids after a second. */
const STREAM = { ...NATS_DEFAULTS.stream, duplicateSeconds: 1 }
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const open: { remove(): Promise<void> | void }[] = []

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.remove()
})

test.skipIf(natsMissing !== undefined).each(SEEDS)(
  'seed %i',
  async (seed) => {
    const random = seededRandom(seed)
    const upTo = (max: number) => Math.floor(random() * max)
    const server = await NatsServer.start()
    open.push(server)
    const proxy = new TcpProxy(Number(new URL(server.url).port))
    open.push({ remove: () => proxy.close() })
    const rig = new Rig(`nats://127.0.0.1:${await proxy.listen()}`, { stream: STREAM, windowMessages: 500 })
    open.push(rig)
    let copyLsn = 0

    const faults: Record<string, () => Promise<void>> = {
      cut: async () => proxy.cut(),
      async swallow() {
        proxy.isSwallowing = true
        await pause(upTo(2500))
        proxy.cut()
        proxy.isSwallowing = false
      },
      async kill() {
        await server.kill()
        await pause(upTo(2500))
        await server.start()
      },
      async freeze() {
        server.freeze()
        await pause(upTo(2500))
        server.thaw()
      },
      async restart() {
        const { cursor } = rig
        await rig.stopPump()
        await pause(upTo(2000))
        rig.cursor = upTo(cursor + 1)
        rig.restart()
        rig.pump()
      },
      async copy() {
        await server.stop()
        server.copyStore('older')
        copyLsn = rig.cursor
        await server.start()
      },
      async restore() {
        if (copyLsn === 0) return
        await server.kill()
        server.restoreStore('older')
        await pause(upTo(2500))
        await server.start()
      },
    }
    const names = Object.keys(faults)
    const story: string[] = []
    rig.append(500)
    rig.pump()
    for (let i = 0; i < FAULTS; i++) {
      rig.append(2000)
      const target = rig.sink.counts.acked + upTo(1500)
      await until(() => rig.sink.counts.acked >= target || rig.cursor === rig.log.length, `${story}: it goes on`)
      const name = names[upTo(names.length)] as string
      story.push(`${name} at ${rig.cursor}`)
      await faults[name]?.()
    }
    await rig.untilPumped()
    const stored = await storedIn(server.url)
    const counts = new Map<number, number>()
    for (const { headers } of stored) {
      const lsn = Number(headers['Mp-Lsn'])
      counts.set(lsn, (counts.get(lsn) ?? 0) + 1)
    }
    const twice = [...counts].filter(([, count]) => count > 1).map(([lsn]) => lsn)
    const missing = rig.log.filter(({ lsn }) => !counts.has(lsn)).map(({ lsn }) => lsn)
    expect({ twice, missing }, story.join(', ')).toEqual({ twice: [], missing: [] })
    expect(rig.rejected).toEqual([])
  },
  120_000,
)

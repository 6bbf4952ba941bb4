/** An older copy of the NATS store is put in its place while the collector runs: what it lacks is delivered again. */

import { join } from 'node:path'
import { sleep } from '../../platform/clock.ts'
import { judgeDelivery, type ServiceEnd } from './delivery-judge.ts'
import { someInstruments } from './instruments.ts'
import type { Proof, ProofOptions } from './proof.ts'
import type { NatsServer } from './servers/nats-server.ts'
import { leftOpen, ServiceBed } from './service-bed.ts'
import { STREAM, startNats } from './stand.ts'
import { readLake, readNats } from './stores.ts'
import { sumOf } from './trade-audit.ts'

const SYMBOLS = 2
const STEPS_PER_SECOND = 15
/** Between the copy and its return. */
const AGE_MS = 3_000
const LAKE_BATCH_SECONDS = 2
const SHOWN_MAX = 5

export const restore: Proof = {
  name: 'restore',
  about: 'After an older copy of the NATS store was restored, the stream ends with everything once.',
  counts: 'restorations; in every second one the service is killed meanwhile',
  usualCount: 10,
  async run(options) {
    const { count = this.usualCount, folder, say } = options
    const nats = await startNats()
    let bed: ServiceBed | undefined
    try {
      const sections = { nats: { url: nats.url }, lake: { batch_seconds: LAKE_BATCH_SECONDS } }
      bed = await ServiceBed.open(options, someInstruments(SYMBOLS, STEPS_PER_SECOND), sections)
      const { ends, setBack, code } = await restoreAgain(options, bed, nats, count)
      const stores = [await readNats(nats.url, STREAM, bed.read), await readLake(join(folder, 'data', 'lake'))]
      const { told, receivedUs, gaps } = bed
      const verdict = judgeDelivery({ told: told.values(), receivedUs, stores, gaps, ends })
      const { doubled, different, lost, unsaid } = verdict
      for (const list of [doubled, different, lost, unsaid, bed.trades.missing()])
        for (const text of list.slice(0, SHOWN_MAX)) say(text)
      const trades = bed.trades.counts()
      const missing = sumOf(trades, (each) => each.missing)
      return {
        figures: {
          restorations: count,
          kills: ends.length,
          messages_that_copies_lacked: setBack,
          ...Object.fromEntries(stores.map(({ store, ids }) => [`events_in_${store}`, ids.size])),
          trades: sumOf(trades, ({ expected }) => expected),
        },
        bounds: [
          { what: 'messages that the copies lacked', found: setBack, least: count },
          { what: 'ids that stand in a store more than once', found: doubled.length, most: 0 },
          { what: 'ids that one store has and another lacks', found: different.length, most: 0 },
          { what: 'events that a client was sent and no store has, without a kill', found: lost.length, most: 0 },
          { what: 'events that a kill took outside of any gap', found: unsaid.length, most: 0 },
          { what: 'missing trades', found: missing, most: 0 },
          { what: 'gaps still open', found: leftOpen(bed.gaps).length, most: 0 },
          { what: 'exit status of the last SIGTERM', found: code ?? -1, most: 0, least: 0 },
        ],
      }
    } finally {
      await bed?.close()
      await nats.remove()
    }
  },
}

async function restoreAgain({ clock, say }: ProofOptions, bed: ServiceBed, nats: NatsServer, count: number) {
  const ends: ServiceEnd[] = []
  let child = await bed.beginLive()
  let setBack = 0
  for (let index = 1; index <= count; index++) {
    await nats.stop()
    nats.copyStore('copy')
    await nats.start()
    const copied = (await readNats(nats.url, STREAM)).ids.size
    await sleep(clock, AGE_MS)
    const grown = (await readNats(nats.url, STREAM)).ids.size
    setBack += grown - copied
    await nats.kill()
    nats.restoreStore('copy')
    if (index % 2 === 0) {
      const atUs = clock.nowUs()
      child.kill('SIGKILL')
      await child.exit
      ends.push({ signal: 'SIGKILL', atUs })
      child = await bed.begin()
    }
    await nats.start()
    say(`${index} of ${count}: the copy lacked ${grown - copied} messages`)
    await sleep(clock, AGE_MS)
  }
  return { ends, setBack, code: (await bed.settle(child)).code }
}

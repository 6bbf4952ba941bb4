/** Sockets that drop, and how long until their data flow again. */

import type { MarketEvent } from '../../model/event.ts'
import { CHANNEL_OF } from '../../model/event.ts'
import { sleep } from '../../platform/clock.ts'
import type { Random } from '../../platform/platform.ts'
import { partSeed, seededRandom } from '../../platform/random.ts'
import type { ServerPeer } from '../../sim/peer.ts'
import { spread } from '../oracle-figures.ts'
import { type Bed, live, openBed } from './bed.ts'
import { someInstruments } from './instruments.ts'
import type { Proof, ProofOptions } from './proof.ts'
import { comes, watchLag } from './wait.ts'

/** How a connection ends. */
const ENDINGS = ['reset', 'eof', 'closed'] as const
/** What ends together: one connection, all of a venue, all there are. */
const SCOPES = ['one', 'venue', 'all'] as const
const CLOSE_CODES = [1001, 1008, 1011, 1012]
const CONNECTIONS_PER_BED = 5
const BEDS_MAX = 8
const SYMBOLS = 2
const STEPS_PER_SECOND = 5
const REST_DELAY_MS = 200
/** An outage is over after 30 s of data; a drop before that is another of the same outage, and waits longer. */
const STEADY_MS = 31_000
const SPREAD_MS = 4_000
const RECOVERY_MS_MAX = 60_000

interface Drop {
  readonly bed: Bed
  readonly venue: string
  readonly ending: string
  readonly scope: string
  readonly atMs: number
  readonly streams: ReadonlySet<string>
  readonly newestPeer: number
  /** Until the first message of any of its streams. */
  firstMs: number | undefined
  /** Until each of its books was live again. */
  readonly books: Map<string, number | undefined>
}

export const drops: Proof = {
  name: 'drops',
  about: `After a socket drop, data flow again within seconds (REST answers take ${REST_DELAY_MS} ms more).`,
  counts: 'dropped connections',
  usualCount: 1_000,
  async run(options) {
    const { count = this.usualCount } = options
    const beds = Math.min(BEDS_MAX, Math.ceil(count / CONNECTIONS_PER_BED))
    const rounds = Math.ceil(count / (beds * CONNECTIONS_PER_BED))
    const runs = Array.from({ length: beds }, (_, index) => runBed(options, index, rounds))
    const lag = watchLag(options.clock)
    const results = await Promise.all(runs)
    const lagMs = lag()
    const all = results.flatMap(({ made }) => made)
    const first = spread(all.flatMap(({ firstMs }) => firstMs ?? []))
    const books = spread(all.flatMap((drop) => [...drop.books.values()].flatMap((ms) => ms ?? [])))
    const lost = all.filter((drop) => drop.firstMs === undefined || [...drop.books.values()].includes(undefined))
    return {
      figures: {
        drops: all.length,
        ...counted(all, ({ ending }) => ending),
        ...counted(all, ({ scope }) => `scope_${scope}`),
        first_message_p50_ms: Math.round(first.p50),
        first_message_p99_ms: Math.round(first.p99),
        first_message_max_ms: Math.round(first.max),
        books: books.count,
        book_live_p50_ms: Math.round(books.p50),
        book_live_p99_ms: Math.round(books.p99),
        book_live_max_ms: Math.round(books.max),
        machine_late_p50_ms: Math.round(lagMs.p50),
        machine_late_p99_ms: Math.round(lagMs.p99),
        machine_late_max_ms: Math.round(lagMs.max),
        ...firstOfVenues(all),
      },
      bounds: [
        { what: 'drops', found: all.length, least: count },
        { what: 'first message after a drop, p50, ms', found: Math.round(first.p50), most: 1_000 },
        { what: 'first message after a drop, p99, ms', found: Math.round(first.p99), most: 3_000 },
        { what: 'book live after a drop, p99, ms', found: Math.round(books.p99), most: 5_000 },
        { what: `drops not recovered from in ${RECOVERY_MS_MAX / 1000} s`, found: lost.length, most: 0 },
        { what: 'broken venue rules', found: results.reduce((sum, { broken }) => sum + broken, 0), most: 0 },
      ],
    }
  },
}

async function runBed(
  { folder, seed, clock, say }: ProofOptions,
  index: number,
  rounds: number,
): Promise<{ made: Drop[]; broken: number }> {
  const random = seededRandom(partSeed(seed, `drops ${index}`))
  const bed = await openBed({
    folder: `${folder}/drops-${index}`,
    simulated: someInstruments(SYMBOLS, STEPS_PER_SECOND),
    seed: seed + index,
    faults: [{ kind: 'rest-delay', ms: REST_DELAY_MS, count: Number.MAX_SAFE_INTEGER }],
  })
  const made: Drop[] = []
  bed.on((event) => note(made, event))
  await live(bed)
  for (let round = 0; round < rounds; round++) {
    if (round > 0) await sleep(clock, STEADY_MS)
    const scope = SCOPES[(round + index) % SCOPES.length] as (typeof SCOPES)[number]
    await Promise.all(
      groups(bed.simulator.connections(), scope).map(async (peers) => {
        await sleep(clock, random() * SPREAD_MS)
        for (const peer of peers) made.push(drop(bed, peer, scope, random))
      }),
    )
    await comes(clock, () => made.every(isOver), RECOVERY_MS_MAX)
    if (index === 0) say(`round ${round + 1} of ${rounds}`)
  }
  const broken = bed.simulator.violations().length
  await bed.stop()
  return { made, broken }
}

function groups(peers: readonly ServerPeer[], scope: (typeof SCOPES)[number]): ServerPeer[][] {
  if (scope === 'one') return peers.map((peer) => [peer])
  if (scope === 'all') return [[...peers]]
  return [...new Set(peers.map(({ venue }) => venue))].map((venue) => peers.filter((peer) => peer.venue === venue))
}

function drop(bed: Bed, peer: ServerPeer, scope: string, random: Random): Drop {
  const ending = ENDINGS[Math.floor(random() * ENDINGS.length)] as string
  const code = CLOSE_CODES[Math.floor(random() * CLOSE_CODES.length)] as number
  const { venue, streams } = peer
  const books = [...streams].filter((stream) => stream.startsWith('book '))
  const made: Drop = {
    bed,
    venue,
    ending,
    scope,
    streams,
    atMs: bed.nowMs(),
    newestPeer: Math.max(...bed.simulator.connections().map(({ id }) => id)),
    firstMs: undefined,
    books: new Map(books.map((stream) => [stream, undefined])),
  }
  if (ending === 'reset') peer.reset()
  else if (ending === 'eof') peer.hangUp()
  else peer.close(code, 'dropped by the proof')
  return made
}

const isOver = ({ firstMs, books }: Drop): boolean => firstMs !== undefined && ![...books.values()].includes(undefined)

/** What was on its way before the drop does not count: a newer connection must have subscribed to the stream. */
function note(drops: readonly Drop[], event: MarketEvent): void {
  const channel = CHANNEL_OF[event.type]
  if (channel === undefined || (event.type === 'trade' && event.source === 'backfill')) return
  const isBookLive = event.type === 'book_state' && event.state === 'live'
  if (event.type === 'book_state' && !isBookLive) return
  const stream = `${channel} ${event.symbol}`
  for (const each of drops) {
    if (each.venue !== event.venue || !each.streams.has(stream) || isOver(each) || !isBack(each, stream)) continue
    const passedMs = each.bed.nowMs() - each.atMs
    each.firstMs ??= passedMs
    if (isBookLive && each.books.get(stream) === undefined) each.books.set(stream, passedMs)
  }
}

const isBack = ({ bed, venue, newestPeer }: Drop, stream: string): boolean =>
  bed.simulator.connections().some((peer) => peer.venue === venue && peer.id > newestPeer && peer.streams.has(stream))

function firstOfVenues(drops: readonly Drop[]): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const venue of new Set(drops.map((each) => each.venue))) {
    const first = spread(drops.flatMap((each) => (each.venue === venue ? (each.firstMs ?? []) : [])))
    figures[`${venue}_p50_ms`] = Math.round(first.p50)
    figures[`${venue}_max_ms`] = Math.round(first.max)
  }
  return figures
}

function counted(drops: readonly Drop[], word: (drop: Drop) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const each of drops) counts[word(each)] = (counts[word(each)] ?? 0) + 1
  return counts
}

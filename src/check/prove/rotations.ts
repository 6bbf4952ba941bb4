/** Connections whose end is known beforehand: each is replaced before, and nothing is lost, doubled or told to be stale. */

import type { MarketEvent } from '../../model/event.ts'
import { sleep, systemClock } from '../../platform/clock.ts'
import { venues } from '../../venues/index.ts'
import type { Venue } from '../../venues/venue.ts'
import { type Bed, live, openBed } from './bed.ts'
import { someInstruments } from './instruments.ts'
import type { Proof, ProofOptions } from './proof.ts'
import { sumOf, TradeAudit, type TradeCount } from './trade-audit.ts'
import { comes } from './wait.ts'

const SYMBOLS = 2
const STEPS_PER_SECOND = 6
/** 24 h last 12 s; the collector counts on 8 s, so that it is done before. */
const TIME_SCALE = 7_200
const LIFETIME_MS = 8_000
/** A second announcement within 30 s waits: a venue that sends one with each socket must not be rotated without end. */
const ANNOUNCED_PAUSE_MS = 32_000
const MOVED_PAUSE_MS = 8_500
const ROUND_MS_MAX = 60_000
/** A run that has not come to its count by then says so. */
const RUN_MS_MAX = 1_800_000
const BEDS_MAX = 5
const CAUSES_SHOWN_MAX = 5

/** Why connections are replaced, the share of each, and how many connections a bed has. */
interface Kind {
  readonly name: 'lifetime' | 'announced' | 'moved'
  readonly share: number
  readonly connections: number
  readonly ids: readonly string[]
}

const KINDS: readonly Kind[] = [
  { name: 'lifetime', share: 0.4, connections: 3, ids: ['binance', 'binance-usdm'] },
  { name: 'announced', share: 0.1, connections: 3, ids: ['binance', 'okx', 'deribit'] },
  { name: 'moved', share: 0.5, connections: 5, ids: ['binance', 'binance-usdm', 'okx', 'deribit'] },
]

const ANNOUNCEMENTS: Readonly<Record<string, string>> = {
  binance: 'shutdown-notice&delay_ms=10000',
  okx: 'notice',
  deribit: 'maintenance&seconds=1',
}

/** A connection opened during maintenance gets the channel that announces the next one half a minute later. */
const ONLY_ONCE = 'deribit'

interface BedResult {
  readonly kind: Kind['name']
  readonly done: number
  readonly promoted: number
  readonly givenUp: number
  readonly gaps: number
  readonly stale: number
  readonly broken: number
  readonly trades: readonly TradeCount[]
}

export const rotations: Proof = {
  name: 'rotations',
  about: 'Planned replacements of connections cost nothing: after 24 h, when the venue announces an end, when asked.',
  counts: 'replaced connections',
  usualCount: 1_000,
  async run(options) {
    const { count = this.usualCount } = options
    const runs = KINDS.flatMap((kind) => {
      const wanted = Math.ceil(count * kind.share)
      const beds = Math.min(BEDS_MAX, Math.ceil(wanted / (kind.connections * 4)))
      return Array.from({ length: beds }, (_, index) => runBed(options, kind, index, Math.ceil(wanted / beds)))
    })
    const results = await Promise.all(runs)
    const trades = results.flatMap((result) => result.trades)
    const total = (field: 'done' | 'promoted' | 'givenUp' | 'gaps' | 'stale' | 'broken') =>
      sumOf(results, (result) => result[field])
    const done = (name: string) => sumOf(results, (result) => (result.kind === name ? result.done : 0))
    return {
      figures: {
        after_24_h: done('lifetime'),
        announced: done('announced'),
        moved: done('moved'),
        promoted: total('promoted'),
        put_off_and_tried_again: total('givenUp'),
        trades: sumOf(trades, ({ expected }) => expected),
      },
      bounds: [
        { what: 'replaced connections', found: total('done'), least: count },
        { what: 'gaps', found: total('gaps'), most: 0 },
        { what: 'times a book left `live`', found: total('stale'), most: 0 },
        { what: 'missing trades', found: sumOf(trades, ({ missing }) => missing), most: 0 },
        { what: 'doubled trades', found: sumOf(trades, ({ doubled }) => doubled), most: 0 },
        { what: 'broken venue rules', found: total('broken'), most: 0 },
      ],
    }
  },
}

async function runBed(
  { folder, seed, say }: ProofOptions,
  { name, ids }: Kind,
  index: number,
  wanted: number,
): Promise<BedResult> {
  const bed = await openBed({
    folder: `${folder}/${name}-${index}`,
    simulated: someInstruments(SYMBOLS, STEPS_PER_SECOND, ids),
    seed: seed + index,
    timeScale: name === 'lifetime' ? TIME_SCALE : 1,
    venues: name === 'lifetime' ? venues.map(hurried) : venues,
  })
  const clock = systemClock()
  const audit = new TradeAudit()
  for (const { id } of bed.simulated) audit.watch(id, bed.simulator.market(id))
  bed.on((event) => void (event.type === 'trade' && audit.add(event)))
  await live(bed)
  const losses = countLosses(bed)
  const done = () => outcomes(bed, 'done') + outcomes(bed, 'promoted')
  const endMs = bed.nowMs() + RUN_MS_MAX
  for (let round = 1; done() < wanted && bed.nowMs() < endMs; round++) {
    await MOVES[name](bed, round)
    if (index === 0) say(`${name}: ${done()} of ${wanted}`)
  }
  for (const { id } of bed.simulated) bed.simulator.market(id).stop()
  await comes(clock, () => audit.isComplete, 5_000)
  const { gaps, stale, causes } = losses()
  for (const cause of causes) say(`${name}: ${cause}`)
  const broken = bed.simulator.violations()
  for (const { venue, rule, detail } of broken) say(`${name}: ${venue} ${rule}: ${detail}`)
  await bed.stop()
  return {
    kind: name,
    done: outcomes(bed, 'done'),
    promoted: outcomes(bed, 'promoted'),
    givenUp: outcomes(bed, 'given_up'),
    gaps,
    stale,
    broken: broken.length,
    trades: audit.counts(),
  }
}

const MOVES: Readonly<Record<Kind['name'], (bed: Bed, round: number) => Promise<void>>> = {
  lifetime: () => sleep(systemClock(), LIFETIME_MS / 2),
  async announced(bed, round) {
    if (round > 1) await sleep(systemClock(), ANNOUNCED_PAUSE_MS)
    const told = bed.simulated.flatMap(({ id }) => (round > 1 && id === ONLY_ONCE ? [] : id))
    await replaced(bed, told, () => {
      for (const id of told) bed.simulator.control(`order?venue=${id}&name=${ANNOUNCEMENTS[id]}`)
    })
  },
  async moved(bed, round) {
    if (round > 1) await sleep(systemClock(), MOVED_PAUSE_MS)
    const all = bed.simulated.map(({ id }) => id)
    await replaced(bed, all, () => void bed.collector.reload(bed.config(1 + (round % 2))))
  },
}

/** Waits until each connection to these venues that was there before `action` is gone; what is put off may take longer. */
async function replaced(bed: Bed, ids: readonly string[], action: () => void): Promise<void> {
  const peers = bed.simulator.connections().filter(({ venue }) => ids.includes(venue))
  const before = new Set(peers.map(({ id }) => id))
  action()
  const isOver = () => !bed.simulator.connections().some(({ id }) => before.has(id))
  await comes(systemClock(), isOver, ROUND_MS_MAX)
}

const outcomes = (bed: Bed, outcome: string): number =>
  sumOf(bed.simulated, ({ id }) => bed.metrics.counter('rotations', { venue: id, outcome }).value)

function countLosses(bed: Bed): () => { gaps: number; stale: number; causes: readonly string[] } {
  const gaps = new Set<string>()
  const causes = new Set<string>()
  let stale = 0
  bed.on((event: MarketEvent) => {
    if (event.type === 'gap') {
      gaps.add(event.gap_id)
      if (causes.size < CAUSES_SHOWN_MAX) causes.add(`${event.venue} ${event.cause}: ${event.reason}`)
    }
    if (event.type === 'book_state' && event.state !== 'live') stale++
  })
  return () => ({ gaps: gaps.size, stale, causes: [...causes] })
}

/** Its connections live as long as the simulator's, and may be opened as much more often. */
function hurried(venue: Venue): Venue {
  const { socketLimits } = venue
  const { count, windowMs } = socketLimits.connects
  if (socketLimits.lifetimeMs === undefined) return venue
  const connects = { count, windowMs: windowMs / TIME_SCALE }
  return { ...venue, socketLimits: { ...socketLimits, lifetimeMs: LIFETIME_MS, connects } }
}

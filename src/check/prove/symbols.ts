/** Fifty symbols of each venue, one of them broken in every way: its neighbours on the same connections lose nothing. */

import { sleep, systemClock } from '../../platform/clock.ts'
import type { FaultSpec } from '../../sim/faults.ts'
import { simVenues } from '../../sim/index.ts'
import { type Bed, openBed } from './bed.ts'
import { manyInstruments } from './instruments.ts'
import type { Proof, ProofOptions } from './proof.ts'
import { sumOf, TradeAudit, type TradeCount } from './trade-audit.ts'
import { comes, until } from './wait.ts'

const SYMBOLS = 50
/** In a run shorter than half a minute. */
const FEW_SYMBOLS = 6
const SHORT_S = 30
const SHOWN_MAX = 5
const STEPS_PER_SECOND = 1
const BROKEN_STEPS_PER_SECOND = 6
const UNREADABLE_EVERY_MS = 500
/** Subscriptions are refused for now, so long of each 20 s. */
const BUSY = { everyMs: 20_000, forMs: 3_000 }

interface VenueResult {
  readonly faults: number
  readonly refused: number
  readonly brokenGaps: number
  readonly brokenResyncs: number
  readonly gaps: number
  readonly resyncs: number
  readonly notLive: number
  readonly trades: readonly TradeCount[]
  readonly broken: number
}

export const symbols: Proof = {
  name: 'symbols',
  about: `One symbol of ${SYMBOLS} broken in every way: the others lose nothing.`,
  counts: 'seconds under faults, at each venue',
  usualCount: 60,
  async run(options) {
    const { count = this.usualCount } = options
    const ready: Ready[] = []
    // One after the other: two hundred symbols at once would be another proof.
    for (const { id } of simVenues) ready.push(await open(options, id, count < SHORT_S ? FEW_SYMBOLS : SYMBOLS))
    const results = await Promise.all(ready.map((each) => trouble(options, each, count)))
    const total = (field: Exclude<keyof VenueResult, 'trades'>) => sumOf(results, (result) => result[field])
    const trades = results.flatMap((result) => result.trades)
    return {
      figures: {
        faults: total('faults'),
        refused_subscriptions: total('refused'),
        gaps_of_the_broken: total('brokenGaps'),
        resyncs_of_the_broken: total('brokenResyncs'),
        trades_of_the_others: sumOf(trades, ({ expected }) => expected),
      },
      bounds: [
        { what: 'faults that struck', found: total('faults'), least: simVenues.length * 5 },
        { what: 'refused subscriptions', found: total('refused'), least: simVenues.length },
        { what: 'gaps of the broken symbols', found: total('brokenGaps'), least: simVenues.length },
        { what: 'gaps of other symbols', found: total('gaps'), most: 0 },
        { what: 'rebuilt books of other symbols', found: total('resyncs'), most: 0 },
        { what: 'missing trades of other symbols', found: sumOf(trades, ({ missing }) => missing), most: 0 },
        { what: 'doubled trades of other symbols', found: sumOf(trades, ({ doubled }) => doubled), most: 0 },
        { what: 'feeds of other symbols not live at the end', found: total('notLive'), most: 0 },
        { what: 'broken venue rules', found: total('broken'), most: 0 },
      ],
    }
  },
}

/** A venue whose feeds are live, but for the broken symbol's. */
interface Ready {
  readonly id: string
  readonly bed: Bed
  readonly bad: string
  readonly audit: TradeAudit
  /** What the venue says to subscriptions of the broken symbol. */
  readonly desk: { isBreaking: boolean; refused: number }
}

async function open({ folder, seed }: ProofOptions, id: string, symbolCount: number): Promise<Ready> {
  const clock = systemClock()
  const simulated = manyInstruments(id, symbolCount, STEPS_PER_SECOND)
  const [bad = ''] = simulated.instruments.map(({ symbol }) => symbol)
  const instruments = simulated.instruments.map((each) =>
    each.symbol === bad ? { ...each, stepsPerSecond: BROKEN_STEPS_PER_SECOND } : each,
  )
  const desk = { isBreaking: false, refused: 0 }
  const bed = await openBed({
    folder: `${folder}/${id}`,
    simulated: [{ ...simulated, instruments }],
    seed,
    admission(_venue, stream) {
      const admission = stream.toLowerCase().includes(bad.toLowerCase()) ? wordFor(stream, desk.isBreaking) : undefined
      if (admission !== undefined) desk.refused++
      return admission
    },
  })
  const audit = new TradeAudit()
  audit.watch(id, bed.simulator.market(id))
  bed.on((event) => void (event.type === 'trade' && audit.add(event)))
  void bed.collector.start()
  const areLive = () => bed.collector.feeds().every(({ symbol, state }) => symbol === bad || state === 'live')
  await until(
    clock,
    `${id}: every other symbol to be live`,
    () => bed.collector.feeds().length > 0 && areLive(),
    60_000,
  )
  return { id, bed, bad, audit, desk }
}

async function trouble(
  { say }: ProofOptions,
  { id, bed, bad, audit, desk }: Ready,
  seconds: number,
): Promise<VenueResult> {
  const clock = systemClock()
  const gaps = { bad: new Set<string>(), others: new Set<string>() }
  const causes = new Set<string>()
  bed.on((event) => {
    if (event.type !== 'gap') return
    ;(event.symbol === bad ? gaps.bad : gaps.others).add(event.gap_id)
    if (event.symbol !== bad) causes.add(`${event.cause}: ${event.reason}`)
  })
  desk.isBreaking = true
  for (const fault of faultsOf(id, bad)) bed.simulator.faults.add(fault)
  let unreadable: { readonly fired: number } | undefined
  for (let passedMs = 0; passedMs < seconds * 1000; passedMs += UNREADABLE_EVERY_MS) {
    const how = (['truncated', 'type'] as const)[(passedMs / UNREADABLE_EVERY_MS) % 2] ?? 'type'
    const channel = (['trade', 'book', 'quote'] as const)[(passedMs / UNREADABLE_EVERY_MS) % 3] ?? 'trade'
    // One that waits for a dead stream to come back must not become several at once.
    if (unreadable?.fired !== 0)
      unreadable = bed.simulator.faults.add({ kind: 'malformed', how, venue: id, symbol: bad, channel, count: 1 })
    await sleep(clock, UNREADABLE_EVERY_MS)
  }
  const faults = sumOf(Object.values(bed.simulator.faults.counts()), (count) => count)
  bed.simulator.faults.clear()
  desk.isBreaking = false
  bed.simulator.market(id).stop()
  const others = () => audit.counts().filter(({ symbol }) => symbol !== bad)
  await comes(clock, () => others().every(({ missing }) => missing === 0), 5_000)
  const feeds = bed.collector.feeds()
  const mine = feeds.filter(({ symbol }) => symbol === bad)
  const rest = feeds.filter(({ symbol }) => symbol !== bad)
  // Stopping makes a gap of every stream.
  for (const cause of [...causes].slice(0, SHOWN_MAX)) say(`${id}: ${cause}`)
  const [brokenGaps, otherGaps] = [gaps.bad.size, gaps.others.size]
  await bed.stop()
  for (const { rule, detail } of bed.simulator.violations()) say(`${id} ${rule}: ${detail}`)
  say(`${id}: ${faults} faults, ${brokenGaps} gaps of ${bad}, ${otherGaps} of the others`)
  return {
    faults,
    refused: desk.refused,
    brokenGaps,
    brokenResyncs: sumOf(mine, ({ resyncs }) => resyncs),
    gaps: otherGaps,
    resyncs: sumOf(rest, ({ resyncs }) => resyncs),
    notLive: rest.filter(({ state }) => state !== 'live').length,
    trades: others(),
    broken: bed.simulator.violations().length,
  }
}

/** One of its streams is refused for good, the others for now and then. */
function wordFor(stream: string, isBreaking: boolean): 'refused' | 'busy' | undefined {
  if (/@ticker|^ticker/.test(stream)) return 'refused'
  const isBusy = isBreaking && systemClock().monotonicMs() % BUSY.everyMs < BUSY.forMs
  return isBusy ? 'busy' : undefined
}

/** Lost, doubled and swapped frames, crossed and ghostly books, dead streams. */
function faultsOf(venue: string, symbol: string): FaultSpec[] {
  const here = { venue, symbol }
  return [
    { ...here, kind: 'drop', channel: 'book', probability: 0.03 },
    { ...here, kind: 'drop', channel: 'trade', probability: 0.05 },
    { ...here, kind: 'duplicate', probability: 0.05 },
    { ...here, kind: 'reorder', channel: 'book', probability: 0.02 },
    { ...here, kind: 'forged', how: 'crossed', channel: 'book', probability: 0.01 },
    { ...here, kind: 'mute', channel: 'quote', count: 1, skip: 20 },
    { ...here, kind: 'mute', channel: 'trade', count: 1, skip: 40 },
  ]
}

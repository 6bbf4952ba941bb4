/** A venue that is gone for a minute while its markets trade on: what it still has is fetched, the rest is counted. */

import type { Gap } from '../../model/event.ts'
import { sleep, systemClock } from '../../platform/clock.ts'
import { type Bed, live, openBed } from './bed.ts'
import { someInstruments } from './instruments.ts'
import type { Proof, ProofOptions } from './proof.ts'
import { sumOf, TradeAudit, type TradeCount } from './trade-audit.ts'
import { comes, until } from './wait.ts'

const SYMBOLS = 2
/** The simulators keep the newest 1000 trades of each symbol; a minute and the wait after it make a few hundred. */
const STEPS_PER_SECOND = 2
/** Waits between tries grow to 30 s. */
const HEALED_S_MAX = 60
/** Steps that make far more trades than a venue keeps. */
const BURST_STEPS = 1_300
const DEADLINE_MS = 180_000

interface Outcome {
  readonly healedMs: number | undefined
  readonly gaps: readonly Gap[]
  readonly trades: readonly TradeCount[]
  readonly broken: number
}

export const outage: Proof = {
  name: 'outage',
  about: 'Trades of an outage are fetched where the venue still has them, and counted where it has not.',
  counts: 'seconds of the outage',
  usualCount: 60,
  async run(options) {
    const { count = this.usualCount } = options
    const [usual, burst] = await Promise.all([runBed(options, count, false), runBed(options, count, true)])
    const states = (outcome: Outcome, state: string) => outcome.gaps.filter((gap) => gap.state === state)
    const fetched = sumOf(states(usual, 'healed'), ({ healed = 0 }) => healed)
    const lost = sumOf(burst.gaps, (gap) => (gap.lost ?? 0) - (gap.healed ?? 0))
    const unfetched = sumOf(burst.trades, ({ missing }) => missing)
    return {
      figures: {
        outage_s: count,
        fetched,
        healed_after_s: Math.round((usual.healedMs ?? DEADLINE_MS) / 100) / 10,
        final_gaps: states(burst, 'final').length,
        final_numbers_missed: sumOf(burst.gaps, (gap) => gap.lost ?? 0),
        final_numbers_fetched: sumOf(burst.gaps, (gap) => gap.healed ?? 0),
        final_trades_missing: unfetched,
      },
      bounds: [
        { what: 'trades fetched', found: fetched, least: 1 },
        {
          what: 'from the end of the outage until all is healed, s',
          found: seconds(usual.healedMs),
          most: HEALED_S_MAX,
        },
        { what: 'missing trades', found: sumOf(usual.trades, ({ missing }) => missing), most: 0 },
        { what: 'doubled trades', found: sumOf(usual.trades, ({ doubled }) => doubled), most: 0 },
        { what: 'gaps of trades left with something missing', found: usual.gaps.filter(isWanting).length, most: 0 },
        { what: 'longer than the venue keeps: `final` gaps', found: states(burst, 'final').length, least: 1 },
        { what: 'longer than the venue keeps: gaps still open', found: states(burst, 'open').length, most: 0 },
        {
          what: 'longer than the venue keeps: numbers missed, told wrongly',
          found: Math.abs(lost - unfetched),
          most: 0,
        },
        { what: 'broken venue rules', found: usual.broken + burst.broken, most: 0 },
      ],
    }
  },
}

/** Neither healed nor without a loss. */
const isWanting = ({ state, lost }: Gap): boolean => state !== 'healed' && lost !== 0

const seconds = (ms: number | undefined): number => Math.round((ms ?? DEADLINE_MS) / 100) / 10

async function runBed({ folder, seed, say }: ProofOptions, outageS: number, isBurst: boolean): Promise<Outcome> {
  const clock = systemClock()
  const name = isBurst ? 'burst' : 'usual'
  // Gaps count what the venue numbers: single trades, on every venue, so that they can be compared with the market's.
  const ids = isBurst ? ['binance', 'okx', 'deribit'] : undefined
  const simulated = someInstruments(SYMBOLS, STEPS_PER_SECOND, ids)
  const bed = await openBed({ folder: `${folder}/${name}`, simulated, seed })
  const audit = new TradeAudit()
  for (const { id } of simulated) audit.watch(id, bed.simulator.market(id))
  bed.on((event) => void (event.type === 'trade' && audit.add(event)))
  await live(bed)
  // Of a stream that has not brought a number yet, nobody can say what is missing.
  await until(clock, 'a trade of each stream', () => hasTraded(bed), DEADLINE_MS)
  for (const { id } of simulated) bed.simulator.control(`outage?venue=${id}&ms=${outageS * 1000}`)
  if (isBurst) burst(bed)
  await sleep(clock, outageS * 1000)
  const backMs = bed.nowMs()
  const isOver = () => tradeGaps(bed).every(({ state }) => state !== 'open') && (isBurst || audit.isComplete)
  // Only once each stream has told of its outage.
  const isTold = () => tradeGaps(bed).length >= sumOf(simulated, ({ instruments }) => instruments.length)
  const isHealed = await comes(clock, () => isTold() && isOver(), DEADLINE_MS)
  const healedMs = isHealed ? bed.nowMs() - backMs : undefined
  for (const { id } of simulated) bed.simulator.market(id).stop()
  await sleep(clock, 2_000)
  const outcome = {
    healedMs,
    gaps: tradeGaps(bed),
    trades: audit.counts(),
    broken: bed.simulator.violations().length,
  }
  await bed.stop()
  for (const { venue, symbol, state, lost, healed, reason } of isBurst ? [] : outcome.gaps.filter(isWanting))
    say(`${venue} ${symbol} ${state}: ${healed} of ${lost}, ${reason}`)
  say(`${name}: over ${seconds(healedMs)} s after the outage`)
  return outcome
}

function burst({ simulator, simulated }: Bed): void {
  for (const { id, instruments } of simulated) {
    const market = simulator.market(id)
    for (const { symbol } of instruments) for (let step = 0; step < BURST_STEPS; step++) market.step(symbol)
  }
}

const hasTraded = ({ collector }: Bed): boolean =>
  collector.feeds().every(({ channel, events }) => channel !== 'trade' || events > 0)

const tradeGaps = ({ collector }: Bed): Gap[] => collector.gaps().filter(({ channel }) => channel === 'trade')

/** What was received is delivered once, whatever dies: kills of the service times outages of its servers. */

import { type Spread, spread } from '../oracle-figures.ts'
import { type DeliveryVerdict, judgeDelivery } from './delivery-judge.ts'
import { type DeliveryRun, killUnderLoad, STOP_MS_MAX } from './delivery-run.ts'
import type { Bound, Proof, ProofResult } from './proof.ts'
import { leftOpen } from './service-bed.ts'
import { sumOf } from './trade-audit.ts'

const TAKEN_P99_MS = 10
const TAKEN_MAX_MS = 25
/** With fewer, the p99 is the largest. */
const KILLS_FOR_P99 = 100
const SHOWN_MAX = 5
/** Outages of each server beside the short ones: one of a minute in so many ends, and one of ten minutes in a long run. */
const MINUTE_EVERY = 40
const MINUTE_FROM = 20
const TEN_MINUTES_FROM = 1_000

function longOutagesMs(count: number): number[] {
  const minutes = count < MINUTE_FROM ? 0 : Math.ceil(count / MINUTE_EVERY)
  return [...Array(minutes).fill(60_000), ...(count < TEN_MINUTES_FROM ? [] : [600_000])]
}

export const delivery: Proof = {
  name: 'delivery',
  about: 'Events stand once in NATS, lake and ClickHouse, though the service is killed and servers come and go.',
  counts: 'ends of the service, a sixth of them SIGTERM; from 20 on with outages of 60 s, from 1000 on of 10 min too',
  usualCount: 20,
  async run(options) {
    const { count = this.usualCount, say } = options
    const run = await killUnderLoad(options, count, longOutagesMs(count))
    const { bed, stores, ends } = run
    const { receivedUs, gaps } = bed
    const verdict = judgeDelivery({ told: bed.told.values(), receivedUs, stores, gaps, ends })
    const { doubled, different, lost, unsaid } = verdict
    const open = leftOpen(gaps).map((gap) => JSON.stringify(gap))
    for (const list of [doubled, different, lost, unsaid, bed.trades.missing(), open])
      for (const text of list.slice(0, SHOWN_MAX)) say(text)
    return resultOf(run, verdict)
  },
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10

function resultOf(run: DeliveryRun, verdict: DeliveryVerdict): ProofResult {
  const { bed, ends, stores, outages, machine, seconds } = run
  const trades = bed.trades.counts()
  const { gaps, told } = bed
  const exits = [...ends.filter(({ signal }) => signal === 'SIGTERM').map(({ exit }) => exit), run.lastExit]
  const stops = ends.filter(({ signal }) => signal === 'SIGTERM')
  const slowestMs = Math.max(0, ...stops.map(({ atUs, exit }) => (exit.atUs - atUs) / 1000))
  const taken = spread(verdict.takenMs)
  const bounds: Bound[] = [
    { what: 'ids that stand in a store more than once', found: verdict.doubled.length, most: 0 },
    { what: 'ids that one store has and another lacks', found: verdict.different.length, most: 0 },
    { what: 'events that a client was sent and no store has, without a kill', found: verdict.lost.length, most: 0 },
    { what: 'events that a kill took outside of any gap', found: verdict.unsaid.length, most: 0 },
    { what: 'missing trades that no gap tells', found: bed.trades.missingCount(gaps), most: 0 },
    { what: 'missing trades that the venue still has', found: bed.trades.missingCount(), most: 0 },
    { what: 'doubled trades', found: sumOf(trades, ({ doubled }) => doubled), most: 0 },
    { what: 'gaps still open', found: leftOpen(gaps).length, most: 0 },
    { what: 'exit statuses of SIGTERM other than 0', found: exits.filter(({ code }) => code !== 0).length, most: 0 },
    { what: 'slowest exit after SIGTERM, ms', found: Math.round(slowestMs), most: STOP_MS_MAX },
    ...takenBounds(taken, machine),
  ]
  const figures = {
    kills: ends.length - stops.length,
    sigterms: stops.length,
    seconds_of_ends: Math.round(seconds),
    ...outages,
    longest_outage_s: Math.round(run.longestOutageMs / 1000),
    ...Object.fromEntries(stores.map(({ store, ids }) => [`events_in_${store}`, ids.size])),
    events_told: told.size,
    trades: sumOf(trades, ({ expected }) => expected),
    trades_fetched: sumOf(trades, ({ fetched }) => fetched),
    gaps: gaps.length,
    events_taken_by_kills: verdict.taken,
    taken_p50_ms: rounded(taken.p50),
    taken_p99_ms: rounded(taken.p99),
    taken_max_ms: rounded(taken.max),
    machine_p50_ms: rounded(machine.p50),
    machine_p99_ms: rounded(machine.p99),
    machine_max_ms: rounded(machine.max),
  }
  return { figures, bounds }
}

/** On a machine that others keep busy a write may wait for seconds: then its own figures are the measure. */
function takenBounds(taken: Spread, machine: Spread): Bound[] {
  const share = (ms: number, allowedMs: number) => Math.round((ms / allowedMs) * 100) / 100
  const most: Bound = {
    what: `input that a kill took, most, as a share of ${TAKEN_MAX_MS} ms or of the machine’s own slowest 5 ms wait and write`,
    found: share(taken.max, Math.max(TAKEN_MAX_MS, machine.max)),
    most: 1,
  }
  if (taken.count < KILLS_FOR_P99) return [most]
  const p99: Bound = {
    what: `the same, p99, as a share of ${TAKEN_P99_MS} ms or of the machine’s own p99`,
    found: share(taken.p99, Math.max(TAKEN_P99_MS, machine.p99)),
    most: 1,
  }
  return [p99, most]
}

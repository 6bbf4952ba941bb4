/** One simulated run: the collector against its venues, with a plan of faults, from the start until all has recovered. */

import type { Channel } from '../model/event.ts'
import type { Logger } from '../ops/log.ts'
import { partSeed, seededRandom } from '../platform/random.ts'
import { strike } from './faults/index.ts'
import { drawPlan, type PlannedFault, type Quiet } from './plan.ts'
import { createRecorder, type TraceSink } from './recorder.ts'
import { type Scenario, scarceScenario, usualScenario } from './scenario.ts'
import type { TraceEntry } from './trace.ts'
import { World } from './world.ts'

export interface RunOptions {
  readonly scenario?: Scenario
  /** Instead of the one drawn from the seed. */
  readonly plan?: readonly PlannedFault[]
  readonly sinks?: readonly TraceSink[]
  readonly logger?: Logger
  /** Faults strike until then. */
  readonly faultsEndMs?: number
  readonly checkEveryMs?: number
  /** The run ends then, also when not all has recovered. */
  readonly recoveryMsMax?: number
}

export interface RunResult {
  readonly seed: number
  /** Of everything that left the collector, in order. */
  readonly hash: string
  readonly plan: readonly PlannedFault[]
  readonly entries: number
  readonly events: number
  readonly loopEvents: number
  readonly virtualMs: number
  /** Faults by kind. */
  readonly faults: Readonly<Record<string, number>>
  /** What ended the process, if nobody did. */
  readonly crash: string | undefined
}

/** No faults before this: the start is a scene of its own. */
const FAULTS_START_MS = 300
const FAULTS_END_MS = 55_000
const CHECK_EVERY_MS = 25_000
/** How long the markets stand still for a checkpoint. */
const STANDSTILL_MS = 2_500
/** After the last fault, what it touched may take so long to come back, or longer if it has not. */
const RECOVERY_MS = { least: 10_000, step: 5_000, most: 1_500_000 }
/** What a fault took may be found so long after it is over. */
const FOUND_MS = 15_000
/** Whoever waits longer waits for something rare, and need not see a busy market meanwhile. */
const CALM = { afterMs: 60_000, rate: 0.25 }
/** Forged levels are found by comparing books with REST; longer it may not take. */
const AUDIT_MS_MAX = 700_000
/** Missed trades are fetched; longer it may not take. */
const HEALING_MS_MAX = 700_000
/** By then everyone has asked twice whether the venue lists a symbol. */
const LIST_MS_MAX = 1_300_000
/** Chance that requests are scarce in a run. */
const SCARCE = 0.08

export async function runSeed(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const {
    scenario = drawScenario(seed),
    sinks = [],
    logger,
    faultsEndMs = FAULTS_END_MS,
    checkEveryMs = CHECK_EVERY_MS,
    recoveryMsMax = RECOVERY_MS.most,
  } = options
  const counts: Record<string, number> = {}
  const recorder = createRecorder(sinks)
  const trace = (entry: TraceEntry): void => {
    if (entry.kind === 'fault') counts[entry.fault] = (counts[entry.fault] ?? 0) + 1
    recorder.add(entry)
  }
  const world = new World({ scenario, seed, logger, trace })
  const checks = checkTimes(faultsEndMs, checkEveryMs)
  const plan = options.plan ?? drawPlan(seed, scenario, { startMs: FAULTS_START_MS, endMs: faultsEndMs }, checks)
  for (const fault of plan) world.loop.at(fault.atMs, world.scope, () => strike(world, fault))
  if (scenario === scarceScenario()) world.struck('rest-scarce', {}, Number.MAX_SAFE_INTEGER / 1e6)
  for (const market of world.markets) market.start()
  world.machine.start()
  for (const { startMs } of checks) {
    await world.loop.run(startMs)
    await checkpoint(world)
  }
  await world.loop.run(faultsEndMs)
  // While the books are compared a quiet stream may have come to be looked into.
  const waitedMs = () => world.loop.nowMs - faultsEndMs
  do {
    await recover(world, waitedMs, recoveryMsMax)
    await checkpoint(world, true)
  } while (waitedMs() < recoveryMsMax && !isRecovered(world, waitedMs()))
  endings(world)
  return {
    seed,
    hash: recorder.hash(),
    plan,
    entries: recorder.entries,
    events: recorder.events,
    loopEvents: world.loop.count,
    virtualMs: world.loop.nowMs,
    faults: counts,
    crash: world.machine.crash,
  }
}

/** In some runs the venues let us ask for little. */
const drawScenario = (seed: number): Scenario =>
  seededRandom(partSeed(seed, 'scenario'))() < SCARCE ? scarceScenario() : usualScenario()

function checkTimes(endMs: number, everyMs: number): Quiet[] {
  const checks: Quiet[] = []
  for (let startMs = everyMs; startMs + STANDSTILL_MS < endMs; startMs += everyMs)
    checks.push({ startMs, endMs: startMs + STANDSTILL_MS })
  return checks
}

/** What was planned and has not struck goes away with the faults; then everything gets time to come back. */
async function recover(world: World, waitedMs: () => number, mostMs: number): Promise<void> {
  world.faults.clear()
  for (const { peer } of world.network.connections()) peer.release()
  world.machine.start()
  let disturbedMs = Number.NEGATIVE_INFINITY
  let stepMs = RECOVERY_MS.least
  do {
    await world.loop.run(world.loop.nowMs + stepMs)
    stepMs = RECOVERY_MS.step
    if (waitedMs() > CALM.afterMs) for (const market of world.markets) market.setRate(CALM.rate)
    if (world.isDisturbed) disturbedMs = world.loop.nowMs
  } while (
    waitedMs() + stepMs <= mostMs &&
    !(world.loop.nowMs - disturbedMs >= FOUND_MS && isRecovered(world, waitedMs()))
  )
}

/** `waitedMs`: since the last fault was planned. */
function isRecovered(world: World, waitedMs: number): boolean {
  const isAudited = waitedMs > AUDIT_MS_MAX || !world.hasForgedBooks
  const isRefusalOver = waitedMs > LIST_MS_MAX
  const { collector } = world.machine
  if (collector === undefined) return true
  if (isHandingOver(world)) return false
  // What a venue refuses for good may stay away.
  const isBack = ({ state, reason }: { state: string; reason: string }) =>
    state === 'live' || (isRefusalOver && reason.startsWith('refused'))
  if (!collector.feeds().every(isBack)) return false
  if (!isAudited) return false
  // A gap that was found late has its own time.
  const oldUs = world.nowUs() - HEALING_MS_MAX * 1000
  return collector.gaps().every(({ state, detected_time_us: foundUs }) => state !== 'open' || foundUs < oldUs)
}

/** One connection is still taking over from another. */
function isHandingOver({ network }: World): boolean {
  const streams = network.connections().flatMap(({ venue, peer }) => [...peer.streams].map((key) => venue + key))
  return new Set(streams).size < streams.length
}

/** The markets stand still until everything has arrived; then each book is compared. */
async function checkpoint(world: World, isLast = false): Promise<void> {
  for (const market of world.markets) market.stop()
  await world.loop.run(world.loop.nowMs + STANDSTILL_MS)
  for (const venue of world.venues.values()) {
    for (const symbol of venue.symbols) {
      const isForged = world.isForged(venue.id, symbol)
      const isUnfound = !isLast && (isForged || world.isSilent(venue.id, symbol))
      // Nobody may ask for what it would be compared with.
      const isUnknowable = isForged && venue.forbiddenUntilMs > world.loop.nowMs
      if (world.isUnderWay(venue.id, symbol) || isUnfound || isUnknowable) continue
      const { bids, asks } = venue.market.book(symbol)
      const served = world.machine.collector?.book(venue.id, symbol, Number.MAX_SAFE_INTEGER)
      if (served === undefined) continue
      world.trace({
        kind: 'checkpoint',
        atUs: world.nowUs(),
        venue: venue.id,
        symbol,
        truth: { bids, asks },
        served: { state: served.state, bids: served.bids, asks: served.asks },
      })
    }
  }
  for (const market of world.markets) market.start()
}

function endings(world: World): void {
  for (const { venue, channel, symbol, state, reason } of world.machine.collector?.feeds() ?? []) {
    const stream: { venue: string; channel: Channel; symbol: string } = { venue, channel, symbol }
    world.trace({ kind: 'end', atUs: world.nowUs(), ...stream, state, reason })
  }
}

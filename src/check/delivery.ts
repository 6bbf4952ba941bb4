/**
 * Whatever dies, what was received is delivered once: a collector with two stores is killed at random instants while the
 * stores fail, and in the end each store is compared with everything that ever left the collector.
 */

import type { EpochUs, Gap, MarketEvent, Trade } from '../model/event.ts'
import { partSeed, seededRandom } from '../platform/random.ts'
import type { SinkTraits } from '../sinks/sink.ts'
import { quietScenario, type Scenario, usualScenario } from './scenario.ts'
import { Store, type StoreFault, type Style } from './store.ts'
import { World } from './world.ts'

export interface DeliveryOptions {
  readonly seed: number
  /** Kills and outages within this time. */
  readonly ms: number
  /** Mean time between two kills, and between two outages of a store. */
  readonly killMs: number
  readonly outageEveryMs: number
  /** Lengths of outages, drawn with equal chances. */
  readonly outagesMs: readonly number[]
  /** Share of writes that are stored and fail all the same. */
  readonly ambiguity: number
  /** Of the log; 64 MiB unless said. */
  readonly quotaBytes?: number
  /** Few events, for long outages. */
  readonly isQuiet?: boolean
}

export interface DeliveryVerdict {
  readonly broken: readonly string[]
  readonly kills: number
  readonly outages: number
  readonly outageMsMax: number
  readonly events: number
  /** Events that a kill took before they were in the log. */
  readonly lost: number
  /** How much a kill took at most: from its oldest event to the kill, ms of true time. */
  readonly lostMsMax: number
}

/** Everything has come to rest by then: quiet trades are asked for once a minute. */
const REST_MS = 200_000
const MIB = 1_048_576
const STYLES: readonly Style[] = ['told', 'token']
const BATCH = { recordsMax: 256, bytesMax: 65_536 }
const TRAITS: Readonly<Record<Style, Partial<SinkTraits>>> = {
  told: BATCH,
  token: { ...BATCH, ageMs: 200 },
}
const FAULTS: readonly StoreFault[] = ['refuses', 'does not open', 'stores but fails']
/** What a loss of power can take of the log: what waits for the next sync, and what the disk takes for one. */
const TAKEN_BACK_MS = 100
/** One kill in so many is a loss of power, and one is an orderly stop. */
const POWER_SHARE = 0.15
const STOP_SHARE = 0.1

interface Left {
  readonly event: MarketEvent
  readonly atMs: number
  readonly kills: number
}

export async function judgeDelivery(options: DeliveryOptions): Promise<DeliveryVerdict> {
  const { seed, ms, ambiguity } = options
  const left = new Map<string, Left>()
  const killsMs: number[] = []
  const powerMs: number[] = []
  const stores = STYLES.map((style) => new Store(style, seededRandom(partSeed(seed, style))))
  for (const store of stores) store.ambiguity = ambiguity
  const world: World = new World({
    scenario: logged(options.isQuiet === true ? quietScenario() : usualScenario(), options.quotaBytes),
    seed,
    sinks: stores.map((store) => ({
      name: store.style,
      create: ({ platform }) => store.sink(platform.clock, TRAITS[store.style]),
    })),
    trace(entry) {
      if (entry.kind !== 'event' || left.has(entry.event.id)) return
      left.set(entry.event.id, { event: entry.event, atMs: world.loop.nowMs, kills: killsMs.length })
    },
  })
  const outagesMs = plan(world, options, stores, killsMs, powerMs)
  for (const market of world.markets) market.start()
  world.machine.start()
  await world.loop.run(ms)
  for (const store of stores) store.fault = undefined
  if (world.machine.collector === undefined) world.machine.start()
  await world.loop.run(ms + REST_MS)
  for (const market of world.markets) market.stop()
  await world.loop.run(ms + REST_MS + 10_000)
  const ledger = world.machine.collector?.gaps() ?? []
  const lost = new Map<string, Left>()
  const crashes = world.machine.crash === undefined ? [] : [world.machine.crash]
  const broken = [...crashes, ...stores.flatMap((store) => judgeStore(store, left, ledger, powerMs, lost))]
  const takenMs = [...lost.values()].map(({ atMs, kills }) => (killsMs[kills] ?? atMs) - atMs)
  return {
    broken,
    kills: killsMs.length,
    outages: outagesMs.length,
    outageMsMax: Math.max(0, ...outagesMs),
    events: left.size,
    lost: lost.size,
    lostMsMax: Math.max(0, ...takenMs),
  }
}

/** What is to happen; yields how long each outage takes. */
function plan(
  world: World,
  options: DeliveryOptions,
  stores: readonly Store[],
  killsMs: number[],
  powerMs: number[],
): number[] {
  const { seed, ms, killMs, outageEveryMs, outagesMs } = options
  const random = seededRandom(partSeed(seed, 'delivery'))
  const at = (atMs: number, act: () => void): void => void world.loop.at(atMs, world.scope, act)
  const pause = (meanMs: number): number => -Math.log(1 - random()) * meanMs
  for (let atMs = pause(killMs); atMs < ms; atMs += pause(killMs)) {
    const kind = random()
    const backMs = pause(1_000)
    at(atMs, () => {
      if (world.machine.collector === undefined) return
      if (kind < STOP_SHARE) world.machine.stop()
      else {
        const isPowerLoss = kind < STOP_SHARE + POWER_SHARE
        killsMs.push(world.loop.nowMs)
        if (isPowerLoss) powerMs.push(world.loop.nowMs)
        world.machine.kill(isPowerLoss)
      }
      world.after(backMs, () => world.machine.start())
    })
  }
  const tookMs: number[] = []
  for (const store of stores) {
    for (let atMs = pause(outageEveryMs); atMs < ms; atMs += pause(outageEveryMs)) {
      const fault = FAULTS[Math.floor(random() * FAULTS.length)]
      const startMs = atMs
      atMs += outagesMs[Math.floor(random() * outagesMs.length)] ?? 0
      tookMs.push(Math.min(atMs, ms) - startMs)
      at(startMs, () => {
        store.fault = fault
      })
      at(atMs, () => {
        store.fault = undefined
      })
    }
  }
  return tookMs
}

function judgeStore(
  { style, rows }: Store,
  left: ReadonlyMap<string, Left>,
  ledger: readonly Gap[],
  powerMs: readonly number[],
  lost: Map<string, Left>,
): string[] {
  const broken: string[] = []
  const stored = new Map<string, MarketEvent>()
  for (const { body } of rows) {
    const event = JSON.parse(body) as MarketEvent
    const { atMs = 0 } = left.get(event.id) ?? {}
    // The store has what the log has lost: it is fetched again.
    const isTakenBack = powerMs.some((endMs) => atMs <= endMs && endMs - atMs < TAKEN_BACK_MS)
    if (stored.has(event.id) && !isTakenBack) broken.push(`${style}: ${event.id} is stored twice`)
    if (!left.has(event.id)) broken.push(`${style}: ${event.id} never left the collector`)
    stored.set(event.id, event)
  }
  const gaps = newestGaps([...stored.values()])
  const fills = new Set([...stored.values()].flatMap((event) => (event.type === 'trade' ? fillsOf(event) : [])))
  for (const [id, one] of left) {
    if (stored.has(id) || one.event.type === 'book_state') continue
    lost.set(id, one)
    if (one.event.type === 'gap') continue
    if (one.event.type === 'trade') {
      if (!isFilled(one.event, fills)) broken.push(`${style}: ${id} is missing`)
    } else if (!isExplained(one.event, gaps)) broken.push(`${style}: ${id} is missing, and no gap says so`)
  }
  for (const { id } of ledger) if (!stored.has(id)) broken.push(`${style}: ${id} is in the ledger and not stored`)
  return broken
}

/** The fills that a trade consists of. */
function fillsOf({
  venue,
  symbol,
  trade_id: id = '',
  first_trade_id: first = id,
  last_trade_id: last = id,
}: Trade): string[] {
  const count = Number(last) - Number(first) + 1
  return Array.from({ length: count }, (_, index) => `${venue} ${symbol} ${Number(first) + index}`)
}

/** Where a stream joins fills and REST does not, what is fetched again has other ids. */
const isFilled = (trade: Trade, fills: ReadonlySet<string>): boolean => fillsOf(trade).every((fill) => fills.has(fill))

/** The newest revision of each. */
function newestGaps(events: readonly MarketEvent[]): Gap[] {
  const gaps = new Map<string, Gap>()
  for (const event of events) if (event.type === 'gap') gaps.set(event.gap_id, event)
  return [...gaps.values()]
}

const channelOf = ({ type }: MarketEvent): string => (type.startsWith('book_') ? 'book' : type)

function isExplained(event: MarketEvent, gaps: readonly Gap[]): boolean {
  const { venue, symbol, receive_time_us: timeUs = 0 } = event
  const covers = ({ start_time_us: startUs, end_time_us: endUs = Number.POSITIVE_INFINITY }: Gap): boolean =>
    startUs <= timeUs && timeUs <= (endUs as EpochUs)
  return gaps.some(
    (gap) => gap.venue === venue && gap.symbol === symbol && gap.channel === channelOf(event) && covers(gap),
  )
}

/** Small files, so that there are several. */
const logged = (scenario: Scenario, quotaBytes = 64 * MIB): Scenario => ({
  ...scenario,
  config: {
    ...scenario.config,
    spool: { ...scenario.config.spool, segment_bytes: MIB, quota_bytes: quotaBytes, keep_seconds: 3600 },
  },
})

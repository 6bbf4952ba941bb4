import type { Level } from '../model/event.ts'
import type { Clock, Random } from '../platform/platform.ts'
import { partSeed, seededRandom } from '../platform/random.ts'
import { keepNewest, type MarketStep, type SimInstrument, type SimMarket, type SimTrade } from './exchange.ts'
import type { Ladder } from './ladder.ts'
import { createDayStats, type DayStats } from './market-stats.ts'
import { createOrderFlow, type OrderFlow, type UnitLevel } from './order-flow.ts'
import { unitsText } from './units.ts'

export interface MarketOptions {
  readonly instruments: readonly SimInstrument[]
  readonly seed: number
  readonly clock: Clock
  /** Multiplies every instrument's steps a second. */
  readonly rate?: number
  /** Trades of each instrument that can still be asked for. */
  readonly tradesKept?: number
}

/** The true market, moved by its own timer or by hand. */
export interface DrivenMarket extends SimMarket {
  /** Errors: throws a RangeError for an unknown symbol. */
  step(symbol: string): MarketStep
  start(): void
  stop(): void
  /** From each instrument's next step on, `rate` multiplies its steps a second. */
  setRate(rate: number): void
  /** The instrument stands still for so long. */
  halt(symbol: string, ms: number): void
  /** Trades are numbered from `back` numbers ago on, and those before are forgotten. */
  renumber(symbol: string, back: number): void
  /** Takes the instrument off the market, where nobody finds it any more, or puts it back. */
  list(symbol: string, isListed: boolean): void
}

const TRADES_KEPT = 1000
/** Steps before anyone listens, so that there are trades to ask for. */
const WARM_UP_STEPS = 25
const TIMER_MS = 10
/** After a pause of the process the market goes on from now instead of catching up. */
const CATCH_UP_MS_MAX = 1000
/** How soon after it is back an instrument trades again. */
const UNLISTED_LOOK_MS = 500

interface InstrumentState {
  readonly instrument: SimInstrument
  readonly flow: OrderFlow
  readonly stats: DayStats
  readonly trades: SimTrade[]
  /** Draws the times between steps; the steps have a generator of their own and do not depend on the timing. */
  readonly timing: Random
  updateId: number
  tradeId: number
  timeMs: number
  nextStepMs: number
  /** It stands still until then. */
  haltedUntilMs: number
}

/** A seeded market: the same seed yields the same steps of each instrument, whatever their timing. */
export function createMarket({ instruments, seed, clock, ...options }: MarketOptions): DrivenMarket {
  const states = new Map(instruments.map((instrument) => [instrument.symbol, createState(instrument, seed, clock)]))
  const listeners = new Set<(step: MarketStep) => void>()
  const unlisted = new Set<string>()
  const { tradesKept = TRADES_KEPT } = options
  let { rate = 1 } = options
  let stopTimer: (() => void) | undefined
  let isRunning = false

  function state(symbol: string): InstrumentState {
    const found = states.get(symbol)
    if (!found) throw new RangeError(`no instrument '${symbol}' in this market`)
    return found
  }

  function step(symbol: string): MarketStep {
    const made = advance(state(symbol), clock)
    keepNewest(state(symbol).trades, tradesKept)
    for (const listener of listeners) listener(made)
    return made
  }

  /** Sleeps until the next step is due; many that are due close together are made together. */
  function sleep(): void {
    let nextMs = Number.POSITIVE_INFINITY
    for (const each of states.values()) nextMs = Math.min(nextMs, each.nextStepMs)
    stopTimer = clock.after(Math.max(TIMER_MS, nextMs - clock.monotonicMs()), tick)
  }

  function tick(): void {
    const now = clock.monotonicMs()
    stopTimer = undefined
    for (const each of states.values()) {
      if (unlisted.has(each.instrument.symbol)) each.nextStepMs = now + UNLISTED_LOOK_MS
      if (now - each.nextStepMs > CATCH_UP_MS_MAX) each.nextStepMs = now
      while (each.nextStepMs <= now) {
        step(each.instrument.symbol)
        each.nextStepMs += pauseMs(each, rate)
      }
    }
    if (isRunning) sleep()
  }

  return {
    get instruments() {
      return unlisted.size === 0 ? instruments : instruments.filter(({ symbol }) => !unlisted.has(symbol))
    },
    find: (symbol) => (unlisted.has(symbol) ? undefined : states.get(symbol)?.instrument),
    book(symbol, depth = Number.POSITIVE_INFINITY) {
      const { instrument, flow, updateId, timeMs } = state(symbol)
      const bids = sideText(flow.bids, instrument, depth)
      return { bids, asks: sideText(flow.asks, instrument, depth), lastUpdateId: updateId, timeMs }
    },
    stats: (symbol) => state(symbol).stats.read(),
    tradesKept,
    trades: (symbol) => state(symbol).trades,
    onStep(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    step,
    start() {
      const now = clock.monotonicMs()
      for (const each of states.values()) each.nextStepMs = Math.max(each.haltedUntilMs, now + pauseMs(each, rate))
      isRunning = true
      if (stopTimer === undefined) sleep()
    },
    setRate(next) {
      rate = next
    },
    renumber(symbol, back) {
      const renumbered = state(symbol)
      renumbered.tradeId -= back
      renumbered.trades.length = 0
    },
    list(symbol, isListed) {
      if (isListed) unlisted.delete(symbol)
      else unlisted.add(symbol)
    },
    halt(symbol, ms) {
      const halted = state(symbol)
      halted.haltedUntilMs = Math.max(halted.haltedUntilMs, clock.monotonicMs() + ms)
      halted.nextStepMs = Math.max(halted.nextStepMs, halted.haltedUntilMs)
    },
    stop() {
      isRunning = false
      stopTimer?.()
      stopTimer = undefined
    },
  }
}

function createState(instrument: SimInstrument, seed: number, clock: Clock): InstrumentState {
  const random = seededRandom(partSeed(seed, instrument.symbol))
  const updateId = 10_000_000_000 + Math.floor(random() * 50_000_000_000)
  const tradeId = 1_000_000_000 + Math.floor(random() * 3_000_000_000)
  const flow = createOrderFlow(instrument, random)
  const state: InstrumentState = {
    instrument,
    flow,
    stats: createDayStats(instrument, tradeId, random),
    trades: [],
    timing: seededRandom(partSeed(seed, `${instrument.symbol} timing`)),
    updateId,
    tradeId,
    timeMs: 0,
    nextStepMs: 0,
    haltedUntilMs: 0,
  }
  for (let i = 0; i < WARM_UP_STEPS; i++) advance(state, clock)
  return state
}

function advance(state: InstrumentState, clock: Clock): MarketStep {
  const { instrument, stats } = state
  const made = state.flow.step()
  const timeMs = Math.floor(clock.nowUs() / 1000)
  const trades = made.trades.map(({ price, quantity, side }): SimTrade => {
    state.tradeId++
    stats.add(price, quantity, state.tradeId)
    return {
      id: state.tradeId,
      price: unitsText(price, instrument.priceDecimals),
      quantity: unitsText(quantity, instrument.quantityDecimals),
      side,
      timeMs,
    }
  })
  state.trades.push(...trades)
  const firstUpdateId = state.updateId + 1
  state.updateId += made.bids.length + made.asks.length
  state.timeMs = timeMs
  return {
    instrument,
    timeMs,
    bids: levelsText(made.bids, instrument),
    asks: levelsText(made.asks, instrument),
    trades,
    firstUpdateId,
    lastUpdateId: state.updateId,
  }
}

/** Exponential, so that steps come in bursts as orders do. */
function pauseMs(state: InstrumentState, rate: number): number {
  const meanMs = 1000 / (state.instrument.stepsPerSecond * rate)
  return Math.min(10 * meanMs, -Math.log(1 - state.timing()) * meanMs)
}

const levelsText = (levels: readonly UnitLevel[], instrument: SimInstrument): Level[] =>
  levels.map(([price, quantity]) => [
    unitsText(price, instrument.priceDecimals),
    unitsText(quantity, instrument.quantityDecimals),
  ])

function sideText(ladder: Ladder, instrument: SimInstrument, depth: number): Level[] {
  const levels: UnitLevel[] = []
  for (let i = 0; i < Math.min(ladder.size, depth); i++) {
    const price = ladder.price(i)
    levels.push([price, ladder.quantity(price)])
  }
  return levelsText(levels, instrument)
}

import { describe, expect, test } from 'vitest'
import { compareDecimals, isZero } from '../../src/model/decimal.ts'
import type { Level } from '../../src/model/event.ts'
import type { MarketStep, SimInstrument } from '../../src/sim/exchange.ts'
import { createMarket } from '../../src/sim/market.ts'
import { manualClock } from './helpers.ts'

const INSTRUMENTS: readonly SimInstrument[] = [
  {
    symbol: 'BTCUSDT',
    market: 'spot',
    base: 'BTC',
    quote: 'USDT',
    priceDecimals: 8,
    quantityDecimals: 8,
    tickUnits: 1_000_000,
    lotUnits: 1_000,
    startPriceUnits: 95_000_00_000_000,
    stepsPerSecond: 10,
  },
  {
    // A cheap option: the bid side has room for a hundred levels only.
    symbol: 'BTC-25DEC26-120000-C',
    market: 'option',
    base: 'BTC',
    quote: 'USD',
    priceDecimals: 4,
    quantityDecimals: 1,
    tickUnits: 5,
    lotUnits: 1,
    levelQuantityUnits: 100,
    bookLevels: 30,
    startPriceUnits: 500,
    stepsPerSecond: 1,
  },
]

const market = (seed: number) => createMarket({ instruments: INSTRUMENTS, seed, clock: manualClock() })

/** A book rebuilt from a snapshot and steps by the plainest means. */
function rebuild(side: Map<string, string>, levels: readonly Level[]): void {
  for (const [price, quantity] of levels) {
    if (isZero(quantity)) {
      if (!side.delete(price)) throw new Error(`step removes ${price}, which is not in the book`)
    } else side.set(price, quantity)
  }
}

const sorted = (side: Map<string, string>, sign: number): Level[] =>
  [...side].sort(([a], [b]) => sign * compareDecimals(a, b))

describe.each(INSTRUMENTS.map(({ symbol }) => symbol))('market of %s', (symbol) => {
  test('its steps rebuild its book, which is never crossed and never empty', () => {
    const truth = market(7)
    const first = truth.book(symbol)
    const bids = new Map(first.bids)
    const asks = new Map(first.asks)
    let lastUpdateId = first.lastUpdateId
    for (let i = 0; i < 3000; i++) {
      const step = truth.step(symbol)
      expect(step.firstUpdateId).toBe(lastUpdateId + 1)
      expect(step.lastUpdateId - lastUpdateId).toBe(step.bids.length + step.asks.length)
      expect(step.lastUpdateId).toBeGreaterThan(lastUpdateId)
      lastUpdateId = step.lastUpdateId
      rebuild(bids, step.bids)
      rebuild(asks, step.asks)
      if (i % 100 !== 0) continue
      const book = truth.book(symbol)
      expect(book).toMatchObject({ bids: sorted(bids, -1), asks: sorted(asks, 1), lastUpdateId })
      expect(compareDecimals(book.bids[0]?.[0] ?? '', book.asks[0]?.[0] ?? '')).toBeLessThan(0)
      expect(book.bids.length).toBeGreaterThan(2)
      expect(book.asks.length).toBeGreaterThan(2)
    }
  })

  test('its trades take what stood in the book, and count up by one', () => {
    const truth = market(3)
    let id = truth.trades(symbol).at(-1)?.id ?? 0
    let count = 0
    for (let i = 0; i < 1000; i++) {
      const before = truth.book(symbol)
      const step = truth.step(symbol)
      for (const trade of step.trades) {
        expect(trade.id).toBe(++id)
        const side = trade.side === 'buy' ? before.asks : before.bids
        expect(side.slice(0, 10).map(([price]) => price)).toContain(trade.price)
        count++
      }
    }
    expect(count).toBeGreaterThan(300)
    expect(truth.stats(symbol).lastTradeId).toBe(id)
    expect(truth.stats(symbol).last).toBe(truth.trades(symbol).at(-1)?.price)
  })

  test('the same seed yields the same steps, another seed others', () => {
    const run = (seed: number, alsoStep: boolean): MarketStep[] => {
      const truth = market(seed)
      return Array.from({ length: 200 }, () => {
        // Steps of the other instruments do not disturb this one's.
        if (alsoStep) for (const other of INSTRUMENTS) if (other.symbol !== symbol) truth.step(other.symbol)
        return truth.step(symbol)
      })
    }
    expect(run(5, true)).toEqual(run(5, false))
    expect(run(5, false)).not.toEqual(run(6, false))
  })
})

test('the price neither runs away nor stands still', () => {
  const truth = market(11)
  const start = truth.book('BTCUSDT').bids[0]?.[0]
  const seen = new Set<string>()
  for (let i = 0; i < 20_000; i++) truth.step('BTCUSDT')
  for (let i = 0; i < 1000; i++) {
    truth.step('BTCUSDT')
    seen.add(truth.book('BTCUSDT').bids[0]?.[0] ?? '')
  }
  expect(seen.size).toBeGreaterThan(50)
  expect(seen).not.toContain(start)
  const best = Number(truth.book('BTCUSDT').bids[0]?.[0])
  expect(best).toBeGreaterThan(95_000 * 0.5)
  expect(best).toBeLessThan(95_000 * 2)
})

test('runs on the clock at its rate, and stops', () => {
  const clock = manualClock()
  const truth = createMarket({ instruments: INSTRUMENTS, seed: 1, clock })
  let steps = 0
  truth.onStep(() => steps++)
  truth.start()
  clock.advance(60_000)
  expect(steps).toBeGreaterThan(500)
  expect(steps).toBeLessThan(800)
  truth.stop()
  steps = 0
  clock.advance(10_000)
  expect(steps).toBe(0)
})

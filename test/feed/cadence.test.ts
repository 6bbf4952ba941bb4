/** Tickers whose venue documents how often it sends them: their silence is found by that, not by what was learned. */

import { beforeEach, describe, expect, test } from 'vitest'
import { binanceTrade, createRig, exchangeInfo, type Rig } from './rig.ts'

const SYMBOL = 'BTCUSDT'
const NEIGHBOUR = 'ETHUSDT'
const AT_MS = 1_795_392_000_000

let rig: Rig
let trades: number

beforeEach(() => {
  rig = createRig()
  trades = 0
  rig.world.answer = () => exchangeInfo(SYMBOL, NEIGHBOUR)
})

const ticker = (symbol: string, E: number) => ({
  stream: `${symbol.toLowerCase()}@ticker`,
  data: { e: '24hrTicker', E, s: symbol, c: '1.5' },
})

/** The neighbour trades and ticks each second; the symbol as asked. Returns the seconds until its ticker was called stale. */
async function live(seconds: number, isTicking: (second: number) => boolean, isTrading = true): Promise<number> {
  const { world, log } = rig
  const { peer, clock } = world
  for (let second = 0; second < seconds; second++) {
    peer.pong()
    for (const { id } of peer.frames) peer.message({ result: null, id })
    const ticking = isTicking(second) ? [SYMBOL, NEIGHBOUR] : [NEIGHBOUR]
    trades++
    for (const symbol of isTrading ? [SYMBOL, NEIGHBOUR] : [NEIGHBOUR]) peer.message(binanceTrade(symbol, trades))
    for (const symbol of ticking) peer.message(ticker(symbol, AT_MS + clock.monotonicMs()))
    await clock.advance(1_000)
    if (log.includes(`stale ${SYMBOL}`)) return second + 1
  }
  return Number.POSITIVE_INFINITY
}

async function open(): Promise<void> {
  await rig.start('binance', { symbols: [SYMBOL, NEIGHBOUR], channels: { trade: 'trade', ticker: 'ticker' } })
  await rig.world.clock.advance(1_000)
  rig.world.peer.open()
}

describe('a ticker that stops while its market goes on', () => {
  test.each([5, 100])('after %d messages: found within 14 s, and a gap', async (seconds) => {
    await open()
    await live(seconds, () => true)
    expect(await live(60, () => false)).toBeLessThanOrEqual(14)
    expect(rig.gaps.map(({ channel, cause, state }) => [channel, cause, state])).toEqual([
      ['ticker', 'silence', 'open'],
    ])
  })

  test('while our clock waits for one that was set back: the same', async () => {
    await open()
    const { clock } = rig.world
    const frozenUs = clock.nowUs()
    clock.nowUs = () => frozenUs
    await live(100, () => true)
    expect(await live(60, () => false)).toBeLessThanOrEqual(14)
  })

  test('that never began: the same', async () => {
    await open()
    expect(await live(60, () => false)).toBeLessThanOrEqual(14)
  })
})

test('a ticker of a market that trades now and then is not called silent while nobody trades', async () => {
  await open()
  expect(await live(600, (second) => second % 45 === 0, false)).toBe(Number.POSITIVE_INFINITY)
  expect(rig.gaps).toEqual([])
})

test('a ticker that does not come back with its connection is called silent, however quiet the market', async () => {
  await open()
  await live(5, () => true)
  rig.world.peer.close()
  await rig.world.clock.advance(2_000)
  rig.world.peer.open()
  expect(await live(120, () => false, false)).toBeLessThanOrEqual(14)
})

test('a market that wakes up is followed by its ticker, which was not silent before', async () => {
  await open()
  await live(5, () => true)
  for (const quietSeconds of [9, 10, 11, 12, 13, 25]) {
    expect(await live(quietSeconds, () => false, false)).toBe(Number.POSITIVE_INFINITY)
    await rig.world.clock.advance(500)
    // The trade comes at once, the ticker with the next second.
    rig.world.peer.message(binanceTrade(SYMBOL, ++trades))
    await rig.world.clock.advance(900)
    expect(await live(3, () => true)).toBe(Number.POSITIVE_INFINITY)
  }
  expect(rig.gaps.filter(({ channel }) => channel === 'ticker')).toEqual([])
})

test('one that comes once in five intervals is borne with', async () => {
  await open()
  expect(await live(300, (second) => second % 5 === 0)).toBe(Number.POSITIVE_INFINITY)
})

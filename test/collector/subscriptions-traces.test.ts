/** What was removed leaves nothing behind: no timer, no book, no request, no row. */

import { beforeEach, describe, expect, test } from 'vitest'
import { CHANNELS } from '../../src/model/event.ts'
import { binanceDelta, binanceTrade, createRig, exchangeInfo, type Rig, type Started, snapshotAt } from '../feed/rig.ts'
import { jsonAnswer, type World } from '../helpers/world.ts'

let rig: Rig
let world: World

const channels = { trade: 'trade', ticker: 'ticker', quote: 'bookTicker', book: 'depth@100ms' }
const wanted = (symbol: string) => CHANNELS.map((channel) => ({ channel, name: channels[channel], symbol }))

beforeEach(() => {
  rig = createRig()
  world = rig.world
  world.answer = ({ url }) => {
    if (url.includes('exchangeInfo')) return exchangeInfo('BTCUSDT', 'ETHUSDT')
    return url.includes('/depth') ? snapshotAt(100) : jsonAnswer([])
  }
})

const confirm = () => {
  for (const { id } of world.peer.frames) world.peer.message({ result: null, id })
}

async function started(pollIntervalMs?: number): Promise<Started> {
  const running = await rig.start('binance', {
    symbols: ['BTCUSDT'],
    channels,
    ...(pollIntervalMs !== undefined && { pollIntervalMs }),
  })
  if (pollIntervalMs !== undefined) return running
  world.peer.open()
  confirm()
  await world.clock.advance(2_500)
  world.peer.message(binanceDelta('BTCUSDT', 101, 101))
  world.peer.message(binanceTrade('BTCUSDT', 1))
  return running
}

/** Symbols asked for over REST from now on, in `ms`. */
async function askedIn(ms: number): Promise<string> {
  const from = world.requests.length
  await world.clock.advance(ms)
  return world.requests
    .slice(from)
    .map(({ url }) => url)
    .join(' ')
}

/** Between adding and removing. */
const LIVES: Readonly<Record<string, (running: Started) => Promise<void> | void>> = {
  nothing: () => {},
  'the subscription': confirm,
  'a snapshot under way': async () => {
    confirm()
    world.answer = () => new Promise(() => {})
    await world.clock.advance(2_100)
  },
  'a snapshot that fails too late': async () => {
    confirm()
    world.answer = () => new Promise((resolve) => void world.clock.after(500, () => resolve(jsonAnswer({}, 500))))
    await world.clock.advance(2_100)
  },
  'snapshots that fail': async () => {
    confirm()
    world.answer = ({ url }) => (url.includes('/depth') ? jsonAnswer({}, 500) : jsonAnswer([]))
    await world.clock.advance(2_100)
  },
  'a live book': async ({ stateOf }) => {
    confirm()
    await world.clock.advance(2_100)
    world.peer.message(binanceDelta('ETHUSDT', 101, 101))
    expect(stateOf('book', 'ETHUSDT')?.state).toBe('live')
  },
  'a book that broke twice': async () => {
    confirm()
    await world.clock.advance(2_100)
    for (const at of [101, 103, 105]) world.peer.message(binanceDelta('ETHUSDT', at, at))
  },
  'a gap of trades that cannot be fetched': async () => {
    confirm()
    world.answer = ({ url }) => (url.includes('rades') ? jsonAnswer({}, 500) : snapshotAt(100))
    world.peer.message(binanceTrade('ETHUSDT', 1))
    world.peer.message(binanceTrade('ETHUSDT', 9))
    await world.clock.advance(100)
  },
  'a refusal for now': () => {
    const { id } = world.peer.frames.at(-1) ?? {}
    world.peer.message({ error: { code: -1, msg: 'busy' }, id })
  },
}

describe.each(Object.entries(LIVES))('after %s', (_name, live) => {
  test('a removed symbol has no timers, no book and no requests, and its neighbour goes on', async () => {
    const running = await started()
    const { feed, books, ledger } = running
    const timers = world.clock.pending
    await feed.add(wanted('ETHUSDT'))
    await live(running)
    feed.remove(
      [...feed.feeds].filter(({ symbol }) => symbol === 'ETHUSDT'),
      'removed',
    )
    expect([...feed.feeds].map(({ symbol }) => symbol)).toEqual(['BTCUSDT', 'BTCUSDT', 'BTCUSDT', 'BTCUSDT'])
    expect(books.find('binance', 'ETHUSDT')).toBeUndefined()
    expect(ledger.gaps().filter(({ symbol, state }) => symbol === 'ETHUSDT' && state === 'open')).toEqual([])
    world.peer.message(binanceDelta('BTCUSDT', 102, 102))
    const emitted = rig.events.length
    const gaps = ledger.gaps().length
    world.peer.message(binanceTrade('ETHUSDT', 30))
    world.peer.message(binanceDelta('ETHUSDT', 110, 110))
    expect(rig.events).toHaveLength(emitted)
    // Waits that were begun before end by themselves, without asking for anything.
    expect(await askedIn(6_500)).not.toContain('ETHUSDT')
    expect(world.clock.pending).toBeLessThanOrEqual(timers)
    expect(ledger.gaps()).toHaveLength(gaps)
    expect(books.find('binance', 'BTCUSDT')?.isLive).toBe(true)
    expect(feed.socketsWanted).toBe(1)
    expect(world.peers).toHaveLength(1)
  })
})

test('polling: a removed symbol is not asked for again', async () => {
  const { feed, stateOf } = await started(1_000)
  await feed.add(wanted('ETHUSDT'))
  await world.clock.advance(10)
  expect(stateOf('trade', 'ETHUSDT')?.state).toBe('live')
  expect(await askedIn(1_000)).toContain('ETHUSDT')
  feed.remove(
    [...feed.feeds].filter(({ symbol }) => symbol === 'ETHUSDT'),
    'removed',
  )
  const asked = await askedIn(3_000)
  expect(asked).not.toContain('ETHUSDT')
  expect(asked).toContain('BTCUSDT')
})

test('the venue is asked in one frame, within its rate, and closed where nothing is left', async () => {
  const { feed } = await started()
  await feed.add(wanted('ETHUSDT'))
  const sent = world.peer.sent.length
  feed.remove(
    [...feed.feeds].filter(({ symbol }) => symbol === 'ETHUSDT'),
    'removed',
  )
  await world.clock.advance(2_000)
  expect(world.peer.frames.slice(sent).map(({ method }) => method)).toEqual(['UNSUBSCRIBE'])
  feed.remove([...feed.feeds], 'removed')
  expect([feed.socketsWanted, world.peer.isClosedByUs]).toEqual([0, true])
})

/** The trade feed of one symbol on a platform that stands still, and an exchange that can be asked about it. */

import { Bans } from '../../src/feed/bans.ts'
import { Feed } from '../../src/feed/feed.ts'
import { RestClient } from '../../src/feed/rest-client.ts'
import { TradeFeeds } from '../../src/feed/trade-feeds.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { Gap, Trade } from '../../src/model/event.ts'
import { findVenue } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { createWorld, jsonAnswer, type World } from '../helpers/world.ts'

const venue = findVenue('binance') as Venue

/** The venue's trades: numbers up to `newest`, the oldest kept is `oldest`. */
interface Exchange {
  newest: number
  oldest: number
  /** Made so much later than the stream, or their numbers, say. */
  lateMs: number
  /** What the stream said, by number. */
  readonly madeUs: Map<number, number>
  isDown: boolean
  readonly asked: string[]
}

export interface Rig {
  readonly world: World
  readonly exchange: Exchange
  readonly trades: TradeFeeds
  readonly feed: Feed
  readonly ledger: Ledger
  readonly delivered: Trade[]
  readonly gaps: Gap[]
  readonly restarts: string[]
  /** A trade of the stream. */
  stream(id: number, more?: Partial<Trade>): void
  ids(): number[]
}

export async function rig(world = createWorld(), channelName = 'trade'): Promise<Rig> {
  const exchange: Exchange = { newest: 0, oldest: 1, lateMs: 0, madeUs: new Map(), isDown: false, asked: [] }
  world.answer = ({ url }) => {
    const { pathname, searchParams } = new URL(url)
    if (exchange.isDown) return Promise.reject(new Error('connect ECONNREFUSED'))
    if (pathname.endsWith('/ticker/24hr')) return jsonAnswer({ symbol: 'BTCUSDT', lastId: exchange.newest })
    exchange.asked.push(searchParams.get('fromId') ?? '')
    const from = Math.max(Number(searchParams.get('fromId')), exchange.oldest)
    const count = Math.min(Number(searchParams.get('limit')), 1 + exchange.newest - from)
    const timeOf = (id: number) => (exchange.madeUs.get(id) ?? (TIME_MS + id) * 1000) / 1000 + exchange.lateMs
    return jsonAnswer(Array.from({ length: Math.max(0, count) }, (_, i) => row(from + i, timeOf(from + i))))
  }
  const delivered: Trade[] = []
  const gaps: Gap[] = []
  const restarts: string[] = []
  const ledger = new Ledger({
    folder: 'ledger',
    files: world.files,
    clock: world.clock,
    emit: (gap) => void gaps.push(gap),
    onProblem: () => {},
  })
  await ledger.load()
  const topic = venue.topic('trade', channelName, 'BTCUSDT')
  const identity = {
    exchange: 'binance',
    venue: 'binance',
    channel: 'trade',
    symbol: 'BTCUSDT',
    market: 'spot',
  } as const
  const feed = new Feed(
    venue,
    topic,
    ledger.stream({ ...identity, proof: topic.proof, numbers: topic.numbers }),
    world.clock,
  )
  const bans = new Bans('bans.json', world)
  const urls = ['https://rest.example']
  const rest = new RestClient({ venue, urls, platform: world, bans, instruments: new Map(), onOutcome: () => {} })
  const duplicate = () => void restarts.push('duplicate')
  const stale = () => {}
  const trades = new TradeFeeds({
    venue,
    rest,
    platform: world,
    downstream: {
      accept: (event) => {
        ledger.flush()
        delivered.push(event as Trade)
      },
    },
    observer: { duplicate, stale } as unknown as ConstructorParameters<typeof TradeFeeds>[0]['observer'],
    open: () => [feed],
    restart: (_feed, { cause }) => void restarts.push(`restart ${cause}`),
  })
  ledger.open(feed.ledger)
  await ledger.start()
  trades.start()
  trades.restore(feed)
  return {
    world,
    exchange,
    trades,
    feed,
    ledger,
    delivered,
    gaps,
    restarts,
    stream(id, more) {
      exchange.newest = Math.max(exchange.newest, id)
      feed.events++
      feed.silence.heard(world.clock.monotonicMs())
      const trade = streamed(id, world.clock.nowUs(), more)
      exchange.madeUs.set(id, trade.exchange_time_us ?? 0)
      trades.accept(feed, trade, world.clock.nowUs())
    },
    ids: () => delivered.map(({ trade_id }) => Number(trade_id)),
  }
}

/** Keeps the next answer to requests for `path` back until it is released. */
export function holdAnswer(world: World, path: string): { release(): Promise<void> } {
  const { answer } = world
  let send = () => {}
  world.answer = (request) => {
    const given = answer(request)
    if (!request.url.includes(path)) return given
    world.answer = answer
    return new Promise((resolve) => {
      send = () => resolve(given)
    })
  }
  return {
    async release() {
      send()
      await world.clock.advance(0)
    },
  }
}

export const TIME_MS = 1_795_392_000_000

const row = (id: number, time: number) => ({
  id,
  price: '1.5',
  qty: '2',
  quoteQty: '3',
  time,
  isBuyerMaker: true,
  isBestMatch: true,
})

export const streamed = (id: number, receive: number, more: Partial<Trade> = {}): Trade => ({
  type: 'trade',
  exchange: 'binance',
  venue: 'binance',
  market: 'spot',
  symbol: 'BTCUSDT',
  exchange_time_us: (TIME_MS + id) * 1000,
  receive_time_us: receive,
  id: `binance:trade:BTCUSDT:0:${id}`,
  trade_id: String(id),
  price: '1.5',
  quantity: '2',
  side: 'sell',
  source: 'stream',
  ...more,
})

export const outcome = ({ cause, state, last_sequence, first_sequence, lost, healed }: Gap) => ({
  cause,
  state,
  between: [last_sequence, first_sequence],
  lost,
  healed,
})

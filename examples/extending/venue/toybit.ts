/** Toybit, an exchange that does not exist: the contract of a venue, whole, in its smallest form. Its simulator is beside it. */

import { chained } from '../../../src/book/sequence.ts'
import type { BookDelta, BookSnapshot, Instrument, Market, MarketEvent, Trade } from '../../../src/model/event.ts'
import { requestFrames } from '../../../src/venues/batches.ts'
import * as read from '../../../src/venues/fields.ts'
import { canonicalName } from '../../../src/venues/names.ts'
import { originOf, type Source } from '../../../src/venues/origin.ts'
import { backfill, firstPart, runningNumber, spanOf } from '../../../src/venues/trades.ts'
import { asList, type Decoded, type RestRequest, topicOf, type Venue } from '../../../src/venues/venue.ts'

const API = { exchange: 'toybit', venue: 'toybit', marketOf: (): Market => 'spot' }
const LIMITS = { topicsPerConnectionMax: 100, sendsPerSecondMax: 10, topicsPerRequestMax: 50, sendBytesMax: 8192 }
const SILENCE = { min: 15_000, max: 600_000 }

function base<Type extends MarketEvent['type']>(type: Type, row: read.Raw, source: Source, sequence: number | string) {
  const origin = originOf(API, read.symbolText(row.symbol, 'symbol'), source, read.time(row.time, 'time'))
  return { type, ...origin, id: `toybit:${type}:${origin.symbol}:0:${sequence}` }
}

function trade(row: read.Raw, source: Source): Trade {
  const id = read.integer(row.id, 'id')
  const amounts = { price: read.decimal(row.price, 'price'), quantity: read.decimal(row.size, 'size') }
  const facts = { trade_id: `${id}`, ...amounts, side: read.side(row.side, 'side'), source: 'stream' as const }
  return { ...base('trade', row, source, id), ...facts }
}

const sides = (row: read.Raw) => ({ bids: read.levels(row.bids, 'bids'), asks: read.levels(row.asks, 'asks') })
function snapshot(row: read.Raw, source: Source): BookSnapshot {
  const sequence = read.integer(row.seq, 'seq')
  return { ...base('book_snapshot', row, source, sequence), ...sides(row), sequence }
}

function delta(row: read.Raw, source: Source): BookDelta {
  const [previous_sequence, last_sequence] = [read.integer(row.prev, 'prev'), read.integer(row.seq, 'seq')]
  return { ...base('book_delta', row, source, last_sequence), ...sides(row), last_sequence, previous_sequence }
}

function instrument(row: read.Raw, source: Source): Instrument {
  const pair = { base: read.text(row.base, 'base'), quote: read.text(row.quote, 'quote') }
  const named = { ...pair, instrument: canonicalName({ ...pair, kind: 'spot' }), status: 'open' }
  return { ...base('instrument', row, source, read.fingerprint(row)), ...named }
}

function decode(value: unknown, source: Source): Decoded {
  const { id, error, channel, data } = read.raw(value, 'frame')
  const requestId = id === undefined ? undefined : read.idText(id, 'id')
  const isPermanent = error !== 'busy'
  if (error !== undefined) return { kind: 'rejected', requestId, reason: read.word(error), isPermanent }
  if (requestId !== undefined) return { kind: 'ack', requestId }
  const [name = ''] = read.text(channel, 'channel').split('.')
  if (name !== 'trade' && name !== 'book') return { kind: 'unknown', what: name }
  const row = read.raw(data, 'data')
  const readRow = name === 'trade' ? trade : row.prev === undefined ? snapshot : delta
  return { kind: 'events', events: [readRow(row, source)] }
}

const blame: read.Blame = {
  owner(value) {
    const [channel, symbol] = read.isRaw(value) && typeof value.channel === 'string' ? value.channel.split('.') : []
    return channel === 'trade' || channel === 'book' ? { channel, symbol } : {}
  },
  salvage: (head) => ({ channel: read.memberText(head, 'channel') }),
}

const get = <Result>(path: string, parse: (body: unknown, source: Source) => Result): RestRequest<Result> => ({
  path,
  budget: 'requests',
  weight: 1,
  parse: (body, receiveTimeUs, instruments) => parse(body, { receiveTimeUs, instruments }),
})
const rows = <Row>(body: unknown, parse: (row: read.Raw) => Row) => read.goodRows(read.list(body, 'answer'), parse)
const trades = (body: unknown, source: Source) => rows(body, (row) => ({ ...trade(row, source), source: undefined }))
const bookOf = (symbol: string) =>
  get(`/book?symbol=${symbol}`, (body, source) => snapshot(read.raw(body, 'answer'), source))

export const toybit: Venue = {
  id: 'toybit',
  exchange: 'toybit',
  title: 'Toybit',
  restUrls: ['https://api.toybit.example'],
  endpoints: { stream: { option: 'websocket_url', urls: ['wss://api.toybit.example/stream'] } },
  channels: {
    trade: { endpoints: { trade: 'stream' }, proofs: { trade: 'counter' }, silenceMs: SILENCE },
    book: { endpoints: { book: 'stream' }, proofs: { book: 'chained' }, silenceMs: SILENCE },
  },
  defaultSymbols: ['BTC-USD'],
  socketLimits: { ...LIMITS, connects: { count: 10, windowMs: 60_000 } },
  restLimits: { budgets: { requests: { limit: 100, windowMs: 1_000 } } },
  keepalive: 'ping',
  book: { rule: chained, snapshotFrom: 'stream' },
  marketOf: API.marketOf,
  tradeSpan: (event) => spanOf(runningNumber(event.trade_id)),
  topic: (channel, name, symbol) => topicOf(toybit, channel, name, symbol, `${name}.${symbol}`),
  greet: () => [],
  subscribe: (topics, nextId) => requestFrames(topics, LIMITS, nextId, (id, names) => ({ id, subscribe: names })),
  unsubscribe: (topics, nextId) => requestFrames(topics, LIMITS, nextId, (id, names) => ({ id, unsubscribe: names })),
  decode: (frame, receiveTimeUs, instruments) =>
    read.totally(frame, (value) => decode(value, { receiveTimeUs, instruments }), blame),
  rest: {
    instruments: () => [get('/instruments', (body, source) => rows(body, (row) => instrument(row, source)))],
    snapshotSizes: [{ levels: 1000, weight: 1 }],
    snapshot: bookOf,
    trades({ symbol }, wanted) {
      const span = firstPart(wanted, 100)
      const path = `/trades?symbol=${symbol}&from=${span.first}&to=${span.last}`
      return { span, request: get(path, (body, source) => backfill(trades(body, source), span, toybit.tradeSpan)) }
    },
    newestTrade: ({ symbol }) => get(`/newest?symbol=${symbol}`, (id) => read.integerOrAbsent(id, 'answer')),
    polledTrades: 'trade',
    poll: (channel, symbols) =>
      symbols.map((symbol) => (channel === 'book' ? asList(bookOf(symbol)) : get(`/trades?symbol=${symbol}`, trades))),
    fault(status, _headers, body) {
      if (status === 200 && body !== undefined) return undefined
      const reason = `HTTP ${status}`
      if (status === 429) return { kind: 'rate_limited', retryAfterMs: 1_000, reason }
      return { kind: status === 404 ? 'unknown_symbol' : 'failed', reason }
    },
  },
}

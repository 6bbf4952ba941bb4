import type { BookDelta, BookSnapshot, Level } from '../../src/model/event.ts'
import type { Kind } from '../book/true-stream.ts'

/** How one venue puts the changes of a book into words, and what it answers when asked for the whole. */
export interface Talker {
  readonly kind: Kind
  readonly symbol: string
  delta(event: BookDelta): unknown
  /** The snapshot as a frame (where the stream carries it) or as the body of a REST answer. */
  snapshot(event: BookSnapshot): unknown
}

const ms = (event: BookDelta | BookSnapshot): number => (event.exchange_time_us ?? 0) / 1000

const binance = (kind: Kind): Talker => ({
  kind,
  symbol: 'BTCUSDT',
  delta: (event) => ({
    stream: 'btcusdt@depth@100ms',
    data: {
      e: 'depthUpdate',
      E: ms(event),
      s: 'BTCUSDT',
      U: event.first_sequence,
      u: event.last_sequence,
      pu: event.previous_sequence,
      b: event.bids,
      a: event.asks,
    },
  }),
  snapshot: ({ sequence, bids, asks }) => ({ lastUpdateId: sequence, bids, asks }),
})

const okxRows = (levels: readonly Level[]) => levels.map(([price, size]) => [price, size, '0', '1'])

const okxPush = (action: string, event: BookDelta | BookSnapshot, ids: object) => ({
  arg: { channel: 'books', instId: 'BTC-USDT' },
  action,
  data: [{ asks: okxRows(event.asks), bids: okxRows(event.bids), ts: String(ms(event)), ...ids }],
})

const deribitRows = (levels: readonly Level[], action?: string) =>
  levels.map(([price, amount]) => [action ?? (amount === '0' ? 'delete' : 'change'), Number(price), Number(amount)])

const deribitPush = (event: BookDelta | BookSnapshot, more: object) => ({
  jsonrpc: '2.0',
  method: 'subscription',
  params: {
    channel: 'book.BTC-PERPETUAL.100ms',
    data: { timestamp: ms(event), instrument_name: 'BTC-PERPETUAL', ...more },
  },
})

export const TALKERS: Readonly<Record<string, Talker>> = {
  binance: binance('contiguous'),
  'binance-usdm': binance('previousChained'),
  okx: {
    kind: 'chained',
    symbol: 'BTC-USDT',
    delta: (event) => okxPush('update', event, { prevSeqId: event.previous_sequence, seqId: event.last_sequence }),
    snapshot: (event) => okxPush('snapshot', event, { prevSeqId: -1, seqId: event.sequence }),
  },
  deribit: {
    kind: 'chained',
    symbol: 'BTC-PERPETUAL',
    delta: (event) =>
      deribitPush(event, {
        type: 'change',
        prev_change_id: event.previous_sequence,
        change_id: event.last_sequence,
        bids: deribitRows(event.bids),
        asks: deribitRows(event.asks),
      }),
    snapshot: (event) =>
      deribitPush(event, {
        type: 'snapshot',
        change_id: event.sequence,
        bids: deribitRows(event.bids, 'new'),
        asks: deribitRows(event.asks, 'new'),
      }),
  },
}

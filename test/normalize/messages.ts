/** Milliseconds of the first message; every later one is a second after. */
export const START_MS = 1_672_515_782_136

const time = (second: number): number => START_MS + second * 1000

/** A line of a capture: the message as an object, or as text to stand there as it is. */
export function line(venue: string, msg: unknown, ts: unknown = START_MS): string {
  const text = typeof msg === 'string' ? msg : JSON.stringify(msg)
  return `{"ts":${JSON.stringify(ts)},"venue":"${venue}","msg":${text}}`
}

/** A line of the REST answers of a session. */
export const answer = (venue: string, url: string, msg: unknown, ts: unknown = START_MS): string =>
  JSON.stringify({ ts, venue, url, msg })

export const spotTrade = (id: number, symbol = 'BTCUSDT'): object => ({
  stream: `${symbol.toLowerCase()}@trade`,
  data: { e: 'trade', E: time(0), s: symbol, t: id, p: '16500.10', q: '0.00100000', T: time(0), m: true, M: true },
})

export const spotDepth = (first: number, last: number, bids: readonly (readonly string[])[] = []): object => ({
  stream: 'btcusdt@depth@100ms',
  data: { e: 'depthUpdate', E: time(0), s: 'BTCUSDT', U: first, u: last, b: bids, a: [] },
})

export const spotSnapshot = (sequence: number): object => ({
  lastUpdateId: sequence,
  bids: [
    ['99.00', '1'],
    ['98.00', '2'],
  ],
  asks: [['101.00', '3']],
})

export const SPOT_DEPTH_URL = 'https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000'
export const SPOT_INFO_URL = 'https://api.binance.com/api/v3/exchangeInfo'

export const spotInfo = {
  symbols: [{ symbol: 'BTCUSDT', status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT', filters: [] }],
}

export const okxBook = (
  action: 'snapshot' | 'update',
  previous: number,
  last: number,
  bids: string[][] = [],
): object => ({
  arg: { channel: 'books', instId: 'BTC-USDT' },
  action,
  data: [
    {
      asks: action === 'snapshot' ? [['101', '3', '0', '1']] : [],
      bids: bids.map((row) => [...row, '0', '1']),
      ts: String(time(0)),
      prevSeqId: previous,
      seqId: last,
    },
  ],
})

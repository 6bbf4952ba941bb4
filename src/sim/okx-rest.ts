import { knownTrades, type SimContext, type SimInstrument, type SimRequest, type SimResponse } from './exchange.ts'
import { BOOK_LEVELS, type OkxBook } from './okx-book.ts'
import { instrumentRow, instType } from './okx-instruments.ts'
import { levelRow, restTradeRow, tickerRow } from './okx-rows.ts'
import { createQuota, type Quota } from './pace.ts'

const WINDOW_MS = 2_000
const INSTRUMENT_TYPES = new Set(['SPOT', 'MARGIN', 'SWAP', 'FUTURES', 'OPTION', 'EVENTS'])

/** With which HTTP status the venue says 50011; both were seen. */
export type LimitStatus = '429' | '200' | 'alternate'

interface Endpoint {
  /** Requests in any 2 s, by client and `keyedBy`. */
  readonly max: number
  readonly keyedBy?: string
  readonly run: (query: URLSearchParams) => SimResponse
}

const json = (status: number, body: object): SimResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
const rows = (data: readonly unknown[]): SimResponse => json(200, { code: '0', msg: '', data })
const failure = (status: number, code: string, msg: string): SimResponse => json(status, { code, msg, data: [] })
const missing = (name: string): SimResponse => failure(400, '50014', `Parameter ${name} can not be empty.`)
const invalid = (name: string): SimResponse => failure(400, '51000', `Parameter ${name} error`)

/** The REST API. Source: https://www.okx.com/docs-v5/en/#overview-rest-authentication and each endpoint's section. */
export class OkxRest {
  limitStatus: LimitStatus = 'alternate'
  readonly #context: SimContext
  readonly #books: ReadonlyMap<string, OkxBook>
  readonly #endpoints: Readonly<Record<string, Endpoint>>
  readonly #quotas = new Map<string, Quota>()
  #limited = 0

  constructor(context: SimContext, books: ReadonlyMap<string, OkxBook>) {
    this.#context = context
    this.#books = books
    this.#endpoints = {
      '/api/v5/public/time': { max: 10, run: () => rows([{ ts: String(this.#nowMs()) }]) },
      '/api/v5/public/instruments': { max: 20, keyedBy: 'instType', run: (query) => this.#instruments(query) },
      '/api/v5/market/ticker': { max: 20, run: (query) => this.#ticker(query) },
      '/api/v5/market/tickers': { max: 20, run: (query) => this.#tickers(query) },
      '/api/v5/market/books': { max: 40, run: (query) => this.#book(query) },
      '/api/v5/market/trades': { max: 100, run: (query) => this.#trades(query) },
      '/api/v5/market/history-trades': { max: 20, run: (query) => this.#historyTrades(query) },
    }
    for (const [path, { max }] of Object.entries(this.#endpoints)) {
      this.#quotas.set(path, createQuota(context.clock, max, WINDOW_MS))
    }
  }

  answer(request: SimRequest): SimResponse {
    const endpoint = this.#endpoints[request.path]
    if (!endpoint) return failure(404, '404', 'Not Found')
    if (request.method !== 'GET') return failure(405, '50115', 'Invalid request method')
    const key = `${request.client} ${endpoint.keyedBy ? (request.query.get(endpoint.keyedBy) ?? '') : ''}`
    if (this.#quotas.get(request.path)?.take(key)) return endpoint.run(request.query)
    this.#context.violation('rest-limit', `${request.path}: more than ${endpoint.max} requests in 2 s`)
    this.#limited += 1
    const isStatus200 = this.limitStatus === '200' || (this.limitStatus === 'alternate' && this.#limited % 2 === 0)
    return isStatus200
      ? failure(
          200,
          '50011',
          'Rate limit reached. Please refer to API documentation and throttle requests accordingly.',
        )
      : failure(429, '50011', 'Too Many Requests')
  }

  #instruments(query: URLSearchParams): SimResponse {
    const type = query.get('instType')
    if (!type) return missing('instType')
    if (!INSTRUMENT_TYPES.has(type)) return invalid('instType')
    if (type === 'OPTION' && !query.get('instFamily')) return missing('instFamily')
    const instId = query.get('instId')
    if (instId && !this.#context.market.find(instId)) return unknownInstrument()
    const all = this.#context.market.instruments.map((instrument, index) => {
      const isPreOpen = this.#books.get(instrument.symbol)?.isCrossed ?? false
      return instrumentRow(instrument, index, isPreOpen ? 'preopen' : 'live')
    })
    const family = query.get('instFamily')
    return rows(
      all.filter(
        (row) => row.instType === type && (!instId || row.instId === instId) && (!family || row.instFamily === family),
      ),
    )
  }

  #ticker(query: URLSearchParams): SimResponse {
    return this.#withInstrument(query, (instrument) =>
      rows([tickerRow(instrument, this.#context.market, this.#nowMs())]),
    )
  }

  #tickers(query: URLSearchParams): SimResponse {
    const type = query.get('instType')
    if (!type) return missing('instType')
    if (!INSTRUMENT_TYPES.has(type)) return invalid('instType')
    const family = query.get('instFamily')
    const chosen = this.#context.market.instruments.filter(
      (instrument) => instType(instrument) === type && (!family || `${instrument.base}-${instrument.quote}` === family),
    )
    return rows(chosen.map((instrument) => tickerRow(instrument, this.#context.market, this.#nowMs())))
  }

  /** What channel `books` published, up to `snapshotLagMsMax` ago: the same content under the same `seqId`. */
  #book(query: URLSearchParams): SimResponse {
    return this.#withInstrument(query, (instrument) => {
      const size = integer(query, 'sz', 1, BOOK_LEVELS)
      const book = this.#books.get(instrument.symbol)
      if (size === undefined || !book) return invalid('sz')
      const image = book.published.lagged(this.#nowMs(), this.#context.snapshotLagMs())
      const asks = image.asks.slice(0, size).map(levelRow)
      const bids = image.bids.slice(0, size).map(levelRow)
      return rows([{ asks, bids, ts: String(image.publishedMs), seqId: image.sequence }])
    })
  }

  #trades(query: URLSearchParams): SimResponse {
    return this.#withInstrument(query, ({ symbol }) => {
      const limit = integer(query, 'limit', 100, 500)
      if (limit === undefined) return invalid('limit')
      const known = knownTrades(this.#context.market.trades(symbol), this.#context)
      const newest = known.slice(-limit).reverse()
      return rows(newest.map((trade) => restTradeRow(symbol, trade)))
    })
  }

  /** Always the newest that fit, also with `before` alone. `type` 1 pages by trade id, 2 by time (`after` only). */
  #historyTrades(query: URLSearchParams): SimResponse {
    return this.#withInstrument(query, ({ symbol }) => {
      const limit = integer(query, 'limit', 100, 100)
      const type = query.get('type') || '1'
      if (limit === undefined) return invalid('limit')
      if (type !== '1' && type !== '2') return invalid('type')
      const after = Number(query.get('after') || Number.POSITIVE_INFINITY)
      const before = Number((type === '1' && query.get('before')) || Number.NEGATIVE_INFINITY)
      if (Number.isNaN(after)) return invalid('after')
      if (Number.isNaN(before)) return invalid('before')
      const chosen = knownTrades(this.#context.market.trades(symbol), this.#context).filter((trade) => {
        const position = type === '1' ? trade.id : trade.timeMs
        return position < after && position > before
      })
      return rows(
        chosen
          .slice(-limit)
          .reverse()
          .map((trade) => restTradeRow(symbol, trade)),
      )
    })
  }

  #withInstrument(query: URLSearchParams, run: (instrument: SimInstrument) => SimResponse): SimResponse {
    const instId = query.get('instId')
    if (!instId) return missing('instId')
    const instrument = this.#context.market.find(instId)
    return instrument ? run(instrument) : unknownInstrument()
  }

  #nowMs(): number {
    return Math.floor(this.#context.clock.nowUs() / 1000)
  }
}

const unknownInstrument = (): SimResponse =>
  failure(200, '51001', "Instrument ID, Instrument ID code or Spread ID doesn't exist.")

/** A parameter in 1…`max`, or its default. Errors: `undefined` for anything else. */
function integer(query: URLSearchParams, name: string, fallback: number, max: number): number | undefined {
  const text = query.get(name)
  if (!text) return fallback
  const value = Number(text)
  return Number.isInteger(value) && value >= 1 && value <= max ? value : undefined
}

/** One instrument, live: its stream, its book, its trades. */

import type { Api } from '../core/api.ts'
import { type BookDelta, DEPTH, LocalBook } from '../core/book.ts'
import { timeMs } from '../core/format.ts'
import { onFrame } from '../core/frame.ts'
import { EventStream } from '../core/stream.ts'
import { type Book, type InstrumentName, keyOf, type StreamEvent, type Trades } from '../core/types.ts'
import { createDepth } from './depth.ts'
import { createLadder } from './ladder.ts'
import { createQuote } from './quote.ts'
import { createTape, type TapeTrade } from './tape.ts'

const TYPES = ['trade', 'ticker', 'book_snapshot', 'book_delta', 'book_state'] as const
const TRADES = 40
/** A book that is not live is asked for again so often; a live one may be used up. */
const LOOK_MS = 2_000

export class Market {
  readonly #api: Api
  readonly #stream: EventStream
  #book = new LocalBook()
  readonly #quote = createQuote()
  readonly #tape = createTape()
  readonly #ladder = createLadder()
  readonly #depth = createDepth(() => this.#book)
  #chosen: InstrumentName | undefined
  readonly #draw = onFrame(() => {
    this.#ladder.draw(this.#book)
    this.#quote.book(this.#book)
    this.#depth.draw()
  })

  constructor(api: Api, onStream: () => void) {
    this.#api = api
    this.#stream = new EventStream(() => api.token, {
      onEvent: (event) => this.#event(event),
      onSubscribed: () => {
        onStream()
        void this.#fetchTrades()
        void this.#fetchBook()
      },
      onLost: () => {
        onStream()
        this.#book.wait('the event stream was lost')
        this.#tape.note('stream lost: trades may be missing here')
        this.#draw()
      },
    })
    setInterval(() => {
      if (this.#stream.isOpen && (this.#book.phase !== 'live' || this.#book.isThin)) void this.#fetchBook()
    }, LOOK_MS)
  }

  get isStreamOpen(): boolean {
    return this.#stream.isOpen
  }

  reconnect(): void {
    this.#stream.connect()
  }

  choose(name: InstrumentName): void {
    if (this.#chosen !== undefined && keyOf(this.#chosen) === keyOf(name)) return
    this.#chosen = name
    this.#book = new LocalBook()
    this.#book.wait('waiting for the book')
    this.#quote.clear()
    this.#tape.clear()
    this.#draw()
    this.#stream.want({ types: TYPES, venues: [name.venue], symbols: [name.symbol] })
  }

  #event(event: StreamEvent): void {
    switch (event.type) {
      case 'trade':
        this.#trade(event)
        return
      case 'ticker':
        this.#quote.ticker(event)
        return
      case 'book_snapshot':
        this.#book.snapshot(event as unknown as BookDelta)
        break
      case 'book_delta':
        this.#book.delta(event as unknown as BookDelta)
        break
      case 'book_state':
        if (event.state !== 'live') this.#book.distrust(`${event.state}: ${event.reason}`)
        else if (this.#book.phase !== 'live') void this.#fetchBook()
        break
      default:
    }
    this.#draw()
  }

  #trade(event: StreamEvent): void {
    const { price, quantity, side, trade_id, receive_time_us, exchange_time_us } = event
    const trade: TapeTrade = {
      id: String(trade_id ?? event.last_trade_id ?? event.id),
      price: String(price),
      quantity: String(quantity),
      side: side === 'buy' ? 'buy' : 'sell',
      timeMs: Number(exchange_time_us ?? receive_time_us) / 1000,
    }
    this.#tape.add(trade)
    // What was fetched to heal a gap is older than the last price.
    if (event.source !== 'backfill') this.#quote.trade(trade.price, trade.side)
  }

  async #fetchTrades(): Promise<void> {
    const name = this.#chosen
    if (name === undefined) return
    const answer = await this.#api.get<Trades>(`${pathOf('trades', name)}?limit=${TRADES}`)
    if (answer.kind !== 'answered' || name !== this.#chosen) return
    for (const trade of answer.data.trades.toReversed()) {
      const { price, quantity, side, trade_id, timestamp, exchange_time } = trade
      const time = timeMs(exchange_time) ?? timeMs(timestamp) ?? 0
      this.#tape.add({ id: trade_id ?? `${time} ${price} ${quantity}`, price, quantity, side, timeMs: time })
    }
    const newest = answer.data.trades[0]
    if (newest) this.#quote.trade(newest.price, newest.side)
  }

  async #fetchBook(): Promise<void> {
    const name = this.#chosen
    const book = this.#book
    if (name === undefined || book.isExpecting) return
    book.expect()
    const answer = await this.#api.get<Book>(`${pathOf('orderbook', name)}?depth=${DEPTH}`)
    // A snapshot of the stream may have come first, or another instrument was chosen.
    if (book !== this.#book || !book.isExpecting) return
    if (answer.kind === 'answered') book.fetched(answer.data)
    else book.distrust(answer.kind === 'refused' ? answer.message : 'the service does not answer')
    this.#draw()
  }
}

const pathOf = (what: string, { venue, symbol }: InstrumentName): string =>
  `api/v1/${what}/${encodeURIComponent(venue)}/${encodeURIComponent(symbol)}`

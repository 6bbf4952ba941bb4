/** What the fake exchange publishes, and the truth of it: every message, with its time, whether anybody listened or not. */

export type Kind = 'trade' | 'ticker' | 'quote' | 'book'
export type Row = readonly [price: string, quantity: string]

/** One fact: a fill, a ticker, a quote, a change of a book. `key` is in its digits, so no id has to be believed. */
export interface Fact {
  readonly key: string
  readonly atUs: number
  /** Of trades and books: the running number (of a change: its last). */
  readonly number: number | undefined
}

/** One message as its wire format needs it. */
export interface Message {
  readonly atMs: number
  readonly price: string
  /** Numbers covered, both ends; `previous`: the number before, as the venue chains it. */
  readonly first: number
  readonly last: number
  readonly previous: number
  readonly bids: readonly Row[]
  readonly asks: readonly Row[]
}

export interface Fill {
  readonly number: number
  readonly price: string
  readonly atUs: number
}

export interface BookState {
  readonly atUs: number
  readonly last: number
  readonly bids: readonly Row[]
  readonly asks: readonly Row[]
}

const KEPT = 2_000

/** Serial numbers make every message unlike any other of the whole run. */
let serial = 0

export class Stream {
  readonly venue: string
  readonly kind: Kind
  readonly symbol: string
  readonly topic: string
  readonly encode: (stream: Stream, message: Message) => string
  readonly facts: Fact[] = []
  /** Frames as they were published, newest last. */
  readonly frames: string[] = []
  /** The venue's own memory of trades; a new numbering forgets the old one. */
  fills: Fill[] = []
  states: BookState[] = []
  number = 5_000
  intervalUs: number
  dueUs = 0
  /** Numbers that one message covers: aggregates of OKX. */
  width = 1
  readonly #bids = new Map<string, string>()
  readonly #asks = new Map<string, string>()

  constructor(
    venue: string,
    kind: Kind,
    symbol: string,
    topic: string,
    intervalUs: number,
    encode: (stream: Stream, message: Message) => string,
    nowUs: number,
  ) {
    this.venue = venue
    this.kind = kind
    this.symbol = symbol
    this.topic = topic
    this.intervalUs = intervalUs
    this.encode = encode
    if (kind !== 'book') return
    for (let i = 0; i < 10; i++) {
      this.#bids.set(`${90 + i}.5`, `${1 + i}`)
      this.#asks.set(`${101 + i}.5`, `${1 + i}`)
    }
    this.#remember(Math.floor(nowUs / 1000) * 1000)
  }

  get name(): string {
    return `${this.venue} ${this.kind} ${this.symbol}`
  }

  get book(): BookState {
    return this.states.at(-1) as BookState
  }

  /** Makes the next message, notes it as true, and yields its frame. */
  next(nowUs: number): string {
    serial++
    const atUs = Math.floor(nowUs / 1000) * 1000
    const price = `${10_000 + serial}.5`
    // Ids of books are shared with what is not shown, as on the real venue: several in one message.
    const width = this.kind === 'book' ? 1 + (serial % 3) : this.width
    const previous = this.number
    const first = previous + 1
    this.number += width
    const side: Row[] = [[`${90 + (serial % 10)}.5`, String(serial)]]
    const other: Row[] = serial % 4 === 0 ? [[`${102 + (serial % 9)}.5`, serial % 8 === 0 ? '0' : String(serial)]] : []
    const message = { atMs: atUs / 1000, price, first, last: this.number, previous, bids: side, asks: other }
    if (this.kind === 'book') {
      for (const [level, quantity] of side) this.#bids.set(level, quantity)
      for (const [level, quantity] of other)
        if (quantity === '0') this.#asks.delete(level)
        else this.#asks.set(level, quantity)
      this.#remember(atUs)
      this.facts.push({ key: String(serial), atUs, number: this.number })
    } else if (this.kind === 'trade') {
      for (let number = first; number <= this.number; number++) {
        this.facts.push({ key: `${price}#${number}`, atUs, number })
        this.fills.push({ number, price, atUs })
      }
    } else this.facts.push({ key: price, atUs, number: undefined })
    const frame = this.encode(this, message)
    this.frames.push(frame)
    if (this.frames.length > KEPT) this.frames.shift()
    return frame
  }

  /** The numbers go on behind `number` from now on. */
  renumber(number: number): void {
    this.number = number
    this.fills = []
    if (this.kind === 'book') this.#remember(this.book.atUs)
  }

  #remember(atUs: number): void {
    const best = (side: ReadonlyMap<string, string>, sign: number) =>
      [...side].sort(([a], [b]) => sign * (Number(a) - Number(b)))
    this.states.push({ atUs, last: this.number, bids: best(this.#bids, -1), asks: best(this.#asks, 1) })
    if (this.states.length > KEPT) this.states.shift()
  }
}

import type { Level } from '../model/event.ts'
import type { Clock } from '../platform/platform.ts'
import type { RecordedAnswer } from './capture.ts'
import type { SimRequest, SimResponse } from './exchange.ts'
import type { Replay } from './replay.ts'
import { createTextBook, type TextBook } from './text-book.ts'

/** Longest time that a request waits for the replay to reach its answer. */
const WAIT_MS_MAX = 8000
const POLL_MS = 20

/** A venue's words for what the simulator itself has to say. */
export interface ReplayWords {
  /** Answers that need no recording, by the last part of the path. */
  readonly live: Readonly<Record<string, () => unknown>>
  missing(what: string): SimResponse
  /** How the rows of two recorded lists become one answer; without it only exact matches are answered. */
  readonly rowsKey?: string
}

/** REST of one venue during a replay: recorded answers, in their time. */
export interface ReplayRest {
  answer(request: SimRequest): SimResponse | Promise<SimResponse>
}

export function createReplayRest(venue: string, replay: Replay, clock: Clock, words: ReplayWords): ReplayRest {
  const answers = replay.capture.answers.filter((answer) => answer.venue === venue)
  const snapshots = new Map<string, RecordedAnswer[]>()
  for (const answer of answers) {
    const symbol = answer.url.searchParams.get('symbol')
    if (lastPart(answer.url.pathname) !== 'depth' || symbol === null) continue
    snapshots.set(symbol, [...(snapshots.get(symbol) ?? []), answer])
  }
  let books = new Map<string, KeptBook>()
  replay.onRestart(() => {
    books = new Map()
  })

  /** A recorded snapshot once its time has come, after that the book as the replay has made it. */
  function snapshot(symbol: string, limit: number): SimResponse | undefined {
    const book = books.get(symbol)
    const position = replay.positionMs()
    const due = (snapshots.get(symbol) ?? []).filter((answer) => answer.atMs <= position)
    const recorded = due.at(-1)
    if (recorded && due.length > (book?.used ?? 0)) {
      books.set(symbol, new KeptBook(venue, symbol, recorded, due.length))
      return ok(recorded.body)
    }
    return book && ok(JSON.stringify(book.read(replay, limit)))
  }

  async function waitForSnapshot(symbol: string, limit: number): Promise<SimResponse> {
    const deadline = clock.monotonicMs() + WAIT_MS_MAX
    for (;;) {
      const found = snapshot(symbol, limit)
      if (found) return found
      if (clock.monotonicMs() > deadline) return { status: 503, body: 'the recorded snapshot is not due yet' }
      await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve))
    }
  }

  return {
    answer({ path, query }) {
      const what = lastPart(path)
      const live = words.live[what]
      if (live) return ok(JSON.stringify(live()))
      const symbol = query.get('symbol')
      if (what === 'depth' && symbol !== null) {
        if (!snapshots.has(symbol)) return words.missing(`${what} of ${symbol}`)
        return waitForSnapshot(symbol, Number(query.get('limit') ?? 1000))
      }
      const matching = answers.filter(({ url }) => lastPart(url.pathname) === what && isAsked(query, url.searchParams))
      const [first, ...more] = distinct(matching)
      if (!first) return words.missing(what)
      const isList = words.rowsKey !== undefined && more.length > 0
      return ok(
        isList
          ? joinLists(
              [first, ...more].map(({ body }) => body),
              words.rowsKey ?? '',
            )
          : first.body,
      )
    },
  }
}

const ok = (body: string): SimResponse => ({ status: 200, body })

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** Parameters that choose rows. `uly` was the older name of `instFamily`; `any` asks for all. */
const CHOOSING: Readonly<Record<string, readonly string[]>> = {
  symbol: ['symbol'],
  instType: ['instType'],
  instFamily: ['instFamily', 'uly'],
  uly: ['uly', 'instFamily'],
  currency: ['currency'],
}

function isAsked(asked: URLSearchParams, recorded: URLSearchParams): boolean {
  for (const [name, aliases] of Object.entries(CHOOSING)) {
    const wanted = asked.get(name)
    if (wanted === null || wanted === 'any') continue
    const values = aliases.flatMap((alias) => recorded.get(alias) ?? [])
    // An answer that was asked for without the parameter holds all values of it.
    if (values.length > 0 && !values.includes(wanted)) return false
  }
  return true
}

/** One answer for each URL: the first. */
const distinct = (answers: readonly RecordedAnswer[]): RecordedAnswer[] =>
  [...new Map([...answers].reverse().map((answer) => [answer.url.href, answer])).values()].reverse()

/** The first answer with the rows of all: each row's text as it was recorded. */
function joinLists(bodies: readonly string[], key: string): string {
  const spans = bodies.map((body) => listSpan(body, key))
  const [first] = bodies
  const [span] = spans
  if (first === undefined || span === undefined) return first ?? ''
  const rows = bodies.map((body, index) => body.slice(...(spans[index] ?? [0, 0])).trim()).filter((text) => text !== '')
  return first.slice(0, span[0]) + rows.join(',') + first.slice(span[1])
}

/** Where the inside of the array under `key` begins and ends. */
function listSpan(body: string, key: string): [from: number, to: number] | undefined {
  const opening = new RegExp(`"${key}"\\s*:\\s*\\[`).exec(body)
  if (!opening) return undefined
  const from = opening.index + opening[0].length
  let depth = 1
  let isText = false
  for (let i = from; i < body.length; i++) {
    const char = body[i]
    if (isText) {
      if (char === '\\') i++
      else if (char === '"') isText = false
    } else if (char === '"') isText = true
    else if (char === '[' || char === '{') depth++
    else if (char === ']' || char === '}') depth--
    if (depth === 0) return [from, i]
  }
  return undefined
}

interface DepthSnapshot {
  readonly lastUpdateId: number
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

interface DepthEvent {
  readonly u: number
  readonly E: number
  readonly T?: number
  readonly b: readonly Level[]
  readonly a: readonly Level[]
}

/** A recorded snapshot, moved on by the frames that have been played since. */
class KeptBook {
  /** How many recorded snapshots have been answered or passed over. */
  readonly used: number
  readonly #venue: string
  readonly #symbol: string
  readonly #book: TextBook = createTextBook()
  #lastUpdateId: number
  #times: Readonly<Record<string, number>> = {}
  #next = 0

  constructor(venue: string, symbol: string, { body }: RecordedAnswer, used: number) {
    this.used = used
    this.#venue = venue
    this.#symbol = symbol
    const { lastUpdateId, bids, asks } = JSON.parse(body) as DepthSnapshot
    this.#book.replace(bids, asks)
    this.#lastUpdateId = lastUpdateId
  }

  read(replay: Replay, limit: number): Record<string, unknown> {
    for (const end = replay.playedCount(); this.#next < end; this.#next++) {
      const frame = replay.capture.frames[this.#next]
      const { kind, symbol } = frame?.topic ?? {}
      if (frame?.venue !== this.#venue || kind !== 'book' || symbol !== this.#symbol) continue
      const message = JSON.parse(frame.text) as DepthEvent & { readonly data?: DepthEvent }
      this.#apply(message.data ?? message)
    }
    return { lastUpdateId: this.#lastUpdateId, ...this.#times, ...this.#book.top(limit) }
  }

  #apply({ u, E, T, b, a }: DepthEvent): void {
    if (u <= this.#lastUpdateId) return
    this.#lastUpdateId = u
    // Futures answers say when; spot answers do not.
    if (T !== undefined) this.#times = { E, T }
    this.#book.apply(b, a)
  }
}

import type { SimContext, SimExchange, SimPeer, SimSession, SimVenue } from './exchange.ts'
import { withBookMemo } from './market-memo.ts'
import type { ChecksumMode } from './okx-book.ts'
import { OKX_INSTRUMENTS } from './okx-instruments.ts'
import { OkxLine } from './okx-line.ts'
import { type LimitStatus, OkxRest } from './okx-rest.ts'
import { type OkxHall, OkxSession } from './okx-session.ts'
import { createQuota } from './pace.ts'
import { createTopics } from './topics.ts'

const BOOK_INTERVAL_MS = 100
const CONNECTS_PER_SECOND_MAX = 3
const CHECKSUM_MODES: readonly string[] = ['none', 'zero', 'crc'] satisfies ChecksumMode[]
const LIMIT_STATUSES: readonly string[] = ['429', '200', 'alternate'] satisfies LimitStatus[]
const PATHS: Readonly<Record<string, 'public' | 'business'>> = {
  '/ws/v5/public': 'public',
  '/ws/v5/business': 'business',
}

/** OKX v5: spot, swaps and futures. Source: https://www.okx.com/docs-v5/en/ */
export const okxSim: SimVenue = {
  id: 'okx',
  title: 'OKX',
  instruments: OKX_INSTRUMENTS,
  options: { rest_url: '', websocket_url: '/ws/v5/public', websocket_business_url: '/ws/v5/business' },
  create: (context) => new OkxSim(context),
}

class OkxSim implements SimExchange {
  readonly #context: SimContext
  readonly #topics = createTopics()
  readonly #lines: ReadonlyMap<string, OkxLine>
  readonly #rest: OkxRest
  readonly #sessions = new Set<OkxSession>()
  readonly #connects: ReturnType<typeof createQuota>
  readonly #stops = new Set<() => void>()
  #checksum: ChecksumMode = 'none'

  constructor(given: SimContext) {
    const { context, stop } = withBookMemo(given)
    const { clock, market } = context
    this.#stops.add(stop)
    this.#context = context
    this.#connects = createQuota(clock, CONNECTS_PER_SECOND_MAX, 1000)
    this.#lines = new Map(market.instruments.map((each) => [each.symbol, new OkxLine(context, this.#topics, each)]))
    this.#rest = new OkxRest(context, new Map([...this.#lines].map(([symbol, line]) => [symbol, line.book])))
    this.#stops.add(market.onStep((step) => this.#lines.get(step.instrument.symbol)?.step(step)))
    this.#stops.add(
      clock.every(BOOK_INTERVAL_MS, () => {
        for (const line of this.#lines.values()) line.flush(this.#checksum)
      }),
    )
  }

  rest(request: Parameters<SimExchange['rest']>[0]): ReturnType<OkxRest['answer']> {
    return this.#rest.answer(request)
  }

  connect(peer: SimPeer): SimSession | undefined {
    const path = PATHS[peer.path]
    if (!path) return undefined
    const hall: OkxHall = {
      context: this.#context,
      topics: this.#topics,
      welcome: (listener, channel, symbol) => this.#lines.get(symbol)?.welcome(listener, channel, this.#checksum),
      left: (session) => this.#sessions.delete(session),
    }
    const session = new OkxSession(hall, peer, path)
    this.#sessions.add(session)
    if (!this.#connects.take(peer.client)) {
      this.#context.violation('connects', `more than ${CONNECTS_PER_SECOND_MAX} connections in a second`)
      peer.close(1008, 'Too many connections')
    }
    return session
  }

  order(name: string, query: URLSearchParams): string | undefined {
    switch (name) {
      case 'notice':
        for (const session of this.#sessions) session.notice()
        return `${this.#sessions.size} connections will be closed`
      case 'sequence-reset':
        return this.#forSymbols(query, (line) => line.book.resetSequence())
      case 'pre-open':
        return this.#preOpen(query)
      case 'checksum':
        return choose(query, CHECKSUM_MODES, (mode) => {
          this.#checksum = mode as ChecksumMode
        })
      case 'limit-status':
        return choose(query, LIMIT_STATUSES, (status) => {
          this.#rest.limitStatus = status as LimitStatus
        })
      default:
        return undefined
    }
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    for (const line of this.#lines.values()) line.stop()
    for (const session of [...this.#sessions]) session.closed()
  }

  /** Crosses the books of `symbol` (all, if absent) for `ms`. */
  #preOpen(query: URLSearchParams): string {
    const durationMs = Number(query.get('ms') ?? 1000)
    const answer = this.#forSymbols(query, (line) => line.book.cross(true))
    this.#stops.add(
      this.#context.clock.after(durationMs, () => this.#forSymbols(query, (line) => line.book.cross(false))),
    )
    return answer
  }

  #forSymbols(query: URLSearchParams, action: (line: OkxLine) => void): string {
    const symbol = query.get('symbol')
    const chosen = [...this.#lines].filter(([name]) => symbol === null || name === symbol)
    for (const [, line] of chosen) action(line)
    return `${chosen.length} instruments`
  }
}

function choose(query: URLSearchParams, allowed: readonly string[], set: (value: string) => void): string {
  const mode = query.get('mode') ?? ''
  if (!allowed.includes(mode)) return `expected mode=${allowed.join('|')}, received '${mode}'`
  set(mode)
  return mode
}

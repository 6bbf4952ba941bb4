import { INTERVALS_MS, type Interval, parseChannel } from './deribit-channels.ts'
import { DERIBIT_INSTRUMENTS, indexName } from './deribit-instruments.ts'
import { DeribitLine } from './deribit-line.ts'
import { publicMethods } from './deribit-methods.ts'
import {
  answerText,
  invalidRequest,
  type Method,
  methodNotFound,
  outcome,
  RpcFailure,
  tooManyRequests,
} from './deribit-rpc.ts'
import { type DeribitHall, DeribitSession } from './deribit-session.ts'
import { createTradeLog, type TradeLog } from './deribit-trades.ts'
import type {
  MarketStep,
  SimContext,
  SimExchange,
  SimPeer,
  SimRequest,
  SimResponse,
  SimSession,
  SimVenue,
} from './exchange.ts'
import { withBookMemo } from './market-memo.ts'
import { type Credits, createCredits } from './pace.ts'
import { createTopics, type Listener } from './topics.ts'

const REST_PREFIX = '/api/v2/'
const SOCKET_PATH = '/ws/api/v2'
const CONNECTIONS_MAX = 32
const MAINTENANCE_SECONDS = 60

/** Source: https://docs.deribit.com/articles/rate-limits */
const POOLS = {
  default: { size: 50_000, cost: 500, refillPerSecond: 10_000 },
  subscribe: { size: 30_000, cost: 3_000, refillPerSecond: 10_000 },
  instruments: { size: 500_000, cost: 10_000, refillPerSecond: 10_000 },
}
const POOL_OF: ReadonlyMap<string, keyof typeof POOLS> = new Map([
  ['public/subscribe', 'subscribe'],
  ['public/get_instruments', 'instruments'],
])

/** Deribit v2: perpetuals, a future, an option and a spot pair. Source: https://docs.deribit.com/ */
export const deribitSim: SimVenue = {
  id: 'deribit',
  title: 'Deribit',
  instruments: DERIBIT_INSTRUMENTS,
  options: { rest_url: '', websocket_url: SOCKET_PATH },
  create: (context) => new DeribitSim(context),
}

class DeribitSim implements SimExchange {
  readonly #context: SimContext
  readonly #topics = createTopics()
  readonly #trades: ReadonlyMap<string, TradeLog>
  readonly #lines: Readonly<Record<Interval, ReadonlyMap<string, DeribitLine>>>
  readonly #methods: Readonly<Record<string, Method>>
  readonly #credits: Readonly<Record<keyof typeof POOLS, Credits>>
  /** With the client of each. */
  readonly #sessions = new Map<DeribitSession, string>()
  readonly #stops = new Set<() => void>()
  #isLocked = false

  constructor(given: SimContext) {
    const { context, stop } = withBookMemo(given)
    const { clock, market } = context
    this.#stops.add(stop)
    this.#context = context
    this.#trades = new Map(market.instruments.map((each) => [each.symbol, createTradeLog(market, each)]))
    this.#lines = { '100ms': this.#createLines('100ms'), agg2: this.#createLines('agg2') }
    this.#methods = publicMethods({
      context,
      lines: this.#lines['100ms'],
      trades: this.#trades,
      isLocked: () => this.#isLocked,
    })
    this.#credits = {
      default: createCredits(clock, POOLS.default),
      subscribe: createCredits(clock, POOLS.subscribe),
      instruments: createCredits(clock, POOLS.instruments),
    }
    this.#stops.add(market.onStep((step) => this.#step(step)))
  }

  rest({ method, path, query, client }: SimRequest): SimResponse {
    const usIn = this.#context.clock.nowUs()
    const name = path.slice(REST_PREFIX.length)
    if (!path.startsWith(REST_PREFIX)) return { status: 404, body: '' }
    const answer = outcome(() => {
      if (method !== 'GET') throw invalidRequest('GET required')
      if (!this.#takeCredits(client, name)) {
        this.#context.violation('credits', `${name} over HTTP`)
        throw tooManyRequests()
      }
      if (name.startsWith('private/')) throw new RpcFailure(13009, 'unauthorized')
      const run = Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined
      if (!run) throw methodNotFound()
      return run(Object.fromEntries(query))
    })
    return {
      status: answer instanceof RpcFailure ? 400 : 200,
      headers: { 'content-type': 'application/json' },
      body: answerText(answer, undefined, usIn, this.#context.clock.nowUs()),
    }
  }

  connect(peer: SimPeer): SimSession | undefined {
    if (peer.path !== SOCKET_PATH) return undefined
    const hall: DeribitHall = {
      context: this.#context,
      topics: this.#topics,
      methods: this.#methods,
      takeCredits: (client, method) => this.#takeCredits(client, method),
      welcome: (listener, channel) => this.#welcome(listener, channel),
      isLocked: () => this.#isLocked,
      left: (session) => this.#sessions.delete(session),
    }
    const session = new DeribitSession(hall, peer)
    this.#sessions.set(session, peer.client)
    const count = [...this.#sessions.values()].filter((client) => client === peer.client).length
    if (count > CONNECTIONS_MAX) {
      this.#context.violation('connections', `${count} connections of one client, at most ${CONNECTIONS_MAX}`)
      session.end('too many connections')
    }
    return session
  }

  order(name: string, query: URLSearchParams): string | undefined {
    if (name !== 'maintenance') return undefined
    const seconds = Number(query.get('seconds') ?? MAINTENANCE_SECONDS)
    this.#lock(true)
    this.#stops.add(this.#context.clock.after((seconds * 1000) / this.#context.timeScale, () => this.#lock(false)))
    if (query.get('close') === 'true') for (const session of this.#sessions.keys()) session.end('system_maintenance')
    return `locked for ${seconds} s`
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    for (const session of [...this.#sessions.keys()]) session.closed()
  }

  #createLines(interval: Interval): ReadonlyMap<string, DeribitLine> {
    const { clock, market } = this.#context
    const lines = market.instruments.map((each) => new DeribitLine(this.#context, this.#topics, each, interval))
    this.#stops.add(
      clock.every(INTERVALS_MS[interval], () => {
        if (!this.#isLocked) for (const line of lines) line.flush()
      }),
    )
    return new Map(market.instruments.map(({ symbol }, i) => [symbol, lines[i] as DeribitLine]))
  }

  #step(step: MarketStep): void {
    const { symbol } = step.instrument
    const trades = this.#trades.get(symbol)?.add(step) ?? []
    for (const lines of Object.values(this.#lines)) lines.get(symbol)?.add(trades)
    if (!this.#isLocked) this.#lines['100ms'].get(symbol)?.quote()
  }

  #welcome(listener: Listener, name: string): void {
    const channel = parseChannel(name)
    if (channel?.kind === 'line') this.#lines[channel.interval].get(channel.symbol)?.welcome(listener, name)
  }

  #takeCredits(client: string, method: string): boolean {
    return this.#credits[POOL_OF.get(method) ?? 'default'].take(client)
  }

  /** While the platform is locked the market's data stops; afterwards it goes on where the truth is then. */
  #lock(isLocked: boolean): void {
    this.#isLocked = isLocked
    const indices = new Set(this.#context.market.instruments.map(indexName))
    const states = [...indices].map((index) => `{"price_index":"${index}","locked":${isLocked}}`)
    for (const data of [...states, `{"maintenance":${isLocked}}`]) {
      const text = `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"platform_state","data":${data}}}`
      this.#topics.publish('platform_state', { channel: 'platform_state', symbol: '' }, text)
    }
  }
}

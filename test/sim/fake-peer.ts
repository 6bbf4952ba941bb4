import type { SimExchange, SimSession, SimVenue } from '../../src/sim/exchange.ts'
import { createMarket, type DrivenMarket } from '../../src/sim/market.ts'
import { manualClock } from './helpers.ts'

export type Message = Record<string, unknown>

/** One client of a simulated exchange, without a socket. */
export interface FakeClient {
  /** Errors: throws a RangeError if the venue has no such endpoint. */
  readonly session: SimSession
  /** Everything received, in order, as text. */
  readonly frames: string[]
  /** The topics of the market data among them. */
  readonly topics: { channel: string; symbol: string }[]
  closed: { code: number; reason: string } | undefined
  bufferedBytes: number
  say(message: unknown): void
  /** JSON messages since the last call of `take`. */
  take(): Message[]
}

export interface Stage {
  readonly clock: ReturnType<typeof manualClock>
  readonly market: DrivenMarket
  readonly exchange: SimExchange
  readonly violations: string[]
  connect(path: string, client?: string): FakeClient
  /** Status and parsed body. */
  get(pathAndQuery: string): { status: number; text: string; body: Message }
  /** One step of the market, then time for the venue to publish it. */
  step(symbol: string, afterMs?: number): ReturnType<DrivenMarket['step']>
}

/** A venue on a clock that moves only when told, with a market that moves only when told. */
export function stage(venue: SimVenue, options: { timeScale?: number; snapshotLagMsMax?: number } = {}): Stage {
  const clock = manualClock()
  const market = createMarket({ instruments: venue.instruments, seed: 7, clock })
  const violations: string[] = []
  const exchange = venue.create({
    clock,
    market,
    random: () => 0.5,
    violation: (rule) => violations.push(rule),
    timeScale: options.timeScale ?? 1,
    snapshotLagMsMax: options.snapshotLagMsMax ?? 0,
    snapshotLagMs: () => (options.snapshotLagMsMax ?? 0) / 2,
  })
  let lastId = 0
  return {
    clock,
    market,
    exchange,
    violations,
    connect: (path, client = 'tester') => join(exchange, path, client, ++lastId),
    get(target) {
      const { pathname, searchParams } = new URL(target, 'http://test')
      const answer = exchange.rest({
        method: 'GET',
        path: pathname,
        query: searchParams,
        headers: {},
        client: 'tester',
      })
      if (answer instanceof Promise) throw new TypeError('expected an answer at once')
      return { status: answer.status, text: answer.body, body: JSON.parse(answer.body) as Message }
    },
    step(symbol, afterMs = 100) {
      const made = market.step(symbol)
      clock.advance(afterMs)
      return made
    },
  }
}

function join(exchange: SimExchange, path: string, client: string, id: number): FakeClient {
  let taken = 0
  let session: SimSession | undefined
  const frames: string[] = []
  const topics: FakeClient['topics'] = []
  const fake = {
    frames,
    topics,
    closed: undefined as FakeClient['closed'],
    bufferedBytes: 0,
    get session() {
      if (!session) throw new RangeError(`no endpoint '${path}'`)
      return session
    },
    say: (message: unknown) => fake.session.text(typeof message === 'string' ? message : JSON.stringify(message)),
    take() {
      const fresh = frames.slice(taken).filter((text) => text.startsWith('{'))
      taken = frames.length
      return fresh.map((text) => JSON.parse(text) as Message)
    },
  }
  session = exchange.connect({
    id,
    client,
    path,
    query: new URLSearchParams(),
    send(topic, text) {
      topics.push(topic)
      frames.push(text)
    },
    sendControl: (text) => void frames.push(text),
    ping() {},
    close(code, reason) {
      fake.closed ??= { code, reason }
    },
    bufferedBytes: () => fake.bufferedBytes,
  })
  return fake
}

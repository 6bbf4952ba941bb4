import type { BinanceFeed } from './binance-feed.ts'
import { BinanceSession, type SessionRules } from './binance-session.ts'
import type { Streams } from './binance-streams.ts'
import type { Weights } from './binance-weights.ts'
import type { SimContext, SimExchange, SimPeer } from './exchange.ts'

const CONNECTS_MAX = 300
const CONNECTS_WINDOW_MS = 300_000

export type Orders = Readonly<Record<string, (query: URLSearchParams, sessions: ReadonlySet<BinanceSession>) => string>>

export interface BinanceParts {
  readonly context: SimContext
  readonly streams: Streams
  readonly rules: SessionRules
  rest: SimExchange['rest']
  /** Whether a path prefix (`''`, `/public`) carries a stream; `undefined`: there is no such path. */
  carries(prefix: string, name: string): boolean | undefined
  /** Someone subscribes to a stream that the path carries. */
  opened(name: string): void
  readonly orders: Orders
  stop(): void
}

/** `/ws`, `/ws/a/b`, `/stream`, each below an optional prefix. */
const PATH = /^(\/[a-z]+)??\/(ws|stream)(\/.*)?$/

/** The exchange that both Binance venues are, given their parts. */
export function createBinanceExchange(parts: BinanceParts): SimExchange {
  const { context, streams, rules } = parts
  const sessions = new Set<BinanceSession>()
  const connects = new Map<string, number[]>()

  function isConnectAllowed(client: string): boolean {
    const now = context.clock.monotonicMs()
    const windowMs = CONNECTS_WINDOW_MS / context.timeScale
    const recent = (connects.get(client) ?? []).filter((timeMs) => now - timeMs < windowMs)
    recent.push(now)
    connects.set(client, recent)
    if (recent.length <= CONNECTS_MAX) return true
    context.violation('connects', `more than ${CONNECTS_MAX} connections in five minutes`)
    return false
  }

  return {
    rest: parts.rest,
    connect(peer) {
      const [matched, prefix = '', form, path = ''] = PATH.exec(peer.path) ?? []
      if (matched === undefined || parts.carries(prefix, '') === undefined) return undefined
      if (!isConnectAllowed(peer.client)) return undefined
      const session = new BinanceSession({
        context,
        peer,
        streams,
        rules,
        isCombined: form === 'stream',
        names: named(peer, path),
        carries(name) {
          const isCarried = parts.carries(prefix, name) ?? false
          if (isCarried) parts.opened(name)
          return isCarried
        },
        left: (left) => sessions.delete(left),
      })
      sessions.add(session)
      return session
    },
    order: (name, query) => parts.orders[name]?.(query, sessions),
    stop() {
      parts.stop()
      for (const session of sessions) session.closed()
    },
  }
}

/** Orders that spot and futures share. */
export const commonOrders = (feed: BinanceFeed, weights: Weights): Orders => ({
  'weight-limit': (query) => {
    weights.limit = Number(query.get('value'))
    return `weight limit is ${weights.limit}`
  },
  status: (query) => {
    const symbol = feed.symbol(query.get('symbol') ?? '')
    if (!symbol) return 'no such symbol'
    symbol.status = query.get('status') ?? 'HALT'
    return `${symbol.instrument.symbol} is ${symbol.status}`
  },
})

/** Streams in the URL: `/ws/a/b` or `/stream?streams=a/b`. */
const named = (peer: SimPeer, path: string): string[] =>
  [path, peer.query.get('streams') ?? ''].flatMap((list) => list.split('/')).filter((name) => name !== '')

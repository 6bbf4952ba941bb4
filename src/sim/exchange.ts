/**
 * The contract between the simulators' shared parts (market, faults, server, control) and each venue's wire format.
 * A wire file is written from the venue's documentation alone; it imports nothing from `src/venues`.
 */

import type { Level, Market, Side } from '../model/event.ts'
import type { Clock, Random } from '../platform/platform.ts'

export interface SimInstrument {
  readonly symbol: string
  readonly market: Market
  readonly base: string
  readonly quote: string
  readonly settle?: string
  /** Digits after the point of prices and quantities on this venue's wire. */
  readonly priceDecimals: number
  readonly quantityDecimals: number
  /** In units of 10^-priceDecimals: smallest price step, and where the price starts. */
  readonly tickUnits: number
  readonly startPriceUnits: number
  /** Worth of one contract, for derivatives. */
  readonly contractSize?: string
  readonly expiryMs?: number
  readonly strike?: number
  readonly optionType?: 'call' | 'put'
  /** In units of 10^-quantityDecimals: smallest quantity step (1 if absent), and what an ordinary level holds. */
  readonly lotUnits?: number
  readonly levelQuantityUnits?: number
  /** Levels a side; if absent, 300 to 1000 by the seed. */
  readonly bookLevels?: number
  /** Mean market steps a second; quiet symbols have few. */
  readonly stepsPerSecond: number
}

export interface SimTrade {
  /** Counts up by one for each trade of the instrument. */
  readonly id: number
  readonly price: string
  readonly quantity: string
  /** The taker's side. */
  readonly side: Side
  readonly timeMs: number
}

/** One change of the true market. `updateId` counts up by `updates` (one for each changed level) for each step. */
export interface MarketStep {
  readonly instrument: SimInstrument
  readonly timeMs: number
  /** Absolute quantities; `"0…"` (with the instrument's decimals) removes. */
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
  readonly trades: readonly SimTrade[]
  readonly firstUpdateId: number
  readonly lastUpdateId: number
}

export interface SimStats {
  readonly last: string
  readonly lastQuantity: string
  readonly open: string
  readonly high: string
  readonly low: string
  readonly volume: string
  readonly quoteVolume: string
  readonly tradeCount: number
  readonly firstTradeId: number
  readonly lastTradeId: number
}

/** The truth: a seeded market. Same seed, same steps. */
export interface SimMarket {
  readonly instruments: readonly SimInstrument[]
  find(symbol: string): SimInstrument | undefined
  /** Best first, at most `depth` levels a side. The true book at `lastUpdateId`. Errors: throws a RangeError for an unknown symbol. */
  book(
    symbol: string,
    depth?: number,
  ): {
    readonly bids: readonly Level[]
    readonly asks: readonly Level[]
    readonly lastUpdateId: number
    readonly timeMs: number
  }
  stats(symbol: string): SimStats
  /** Trades of each instrument that the venue still answers with. */
  readonly tradesKept: number
  /** The newest {@link tradesKept}, oldest first. */
  trades(symbol: string): readonly SimTrade[]
  onStep(listener: (step: MarketStep) => void): () => void
}

export interface SimRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly client: string
}

export interface SimResponse {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** The server's side of one client connection. `send` passes through the fault plan; `sendControl` does not. */
export interface SimPeer {
  readonly id: number
  readonly client: string
  readonly path: string
  readonly query: URLSearchParams
  /** A fault keeps this connection silent: the client cannot answer what it does not get. */
  readonly isFrozen?: boolean
  /**
   * Market data. `topic` lets the faults and the counters choose (drop one delta of one symbol): `channel` is
   * `trade`, `ticker`, `quote` or `book` where the data is one of these, else the venue's own word; `symbol` the venue's.
   */
  send(topic: { readonly channel: string; readonly symbol: string }, text: string): void
  /** The venue has accepted a subscription, so that the stream's data come from now on; `isOn` false: has ended it. */
  subscribed?(topic: { readonly channel: string; readonly symbol: string }, isOn: boolean): void
  /** Acks, errors, heartbeats, notices. */
  sendControl(text: string): void
  ping(payload: string): void
  close(code: number, reason: string): void
  /** Bytes accepted by `send` that the client has not read yet. */
  bufferedBytes(): number
}

export interface SimSession {
  text(frame: string): void
  pong(payload: string): void
  /** A ping frame of the client; the server has answered it already. Venues count it against their limits. */
  ping(): void
  closed(): void
}

/** The client broke a rule of the venue. Counted, listed by the control endpoint; tests demand none. */
export type ReportViolation = (rule: string, detail: string) => void

export interface SimContext {
  readonly clock: Clock
  readonly random: Random
  readonly market: SimMarket
  readonly violation: ReportViolation
  /** Divides the venue's long times (24 h limit, 3 min pings, 60 s notices), so that tests need not wait. 1 = real. */
  readonly timeScale: number
  /** How far REST snapshots can lag behind the stream, and how far the one does that is being asked for, ms. */
  readonly snapshotLagMsMax: number
  snapshotLagMs(): number
  /** How far the answers about past trades lag behind, ms; not at all if absent. */
  tradeLagMs?(): number
  /** What becomes of a wish to subscribe to a stream, where that is not what the venue would do. */
  admission?(stream: string): Admission | undefined
}

/** `refused`: for good. `busy`: for now, in the venue's words for it. `silent`: acknowledged, and no data come. */
export type Admission = 'refused' | 'busy' | 'silent'

/** `rows`, oldest first, are as many as `count` at most; the oldest go. */
export function keepNewest(rows: unknown[], count: number): void {
  if (rows.length > count) rows.splice(0, rows.length - count)
}

/** What of `rows`, oldest first, the node that answers about past trades knows. */
export function knownTrades<Row extends { readonly timeMs: number }>(
  rows: readonly Row[],
  { clock, tradeLagMs }: Pick<SimContext, 'clock' | 'tradeLagMs'>,
): readonly Row[] {
  const lagMs = tradeLagMs?.() ?? 0
  return lagMs === 0 ? rows : rows.filter(({ timeMs }) => timeMs <= clock.nowUs() / 1000 - lagMs)
}

/** One simulated exchange API. Paths of requests and connections come without the server's prefix (`/okx`). */
export interface SimExchange {
  /** Errors and limits included; what is no known path answers as the venue does. A promise only where it must wait. */
  rest(request: SimRequest): SimResponse | Promise<SimResponse>
  /** `undefined`: the upgrade is refused with 404. */
  connect(peer: SimPeer): SimSession | undefined
  /** Venue-specific orders of the control endpoint: `shutdown-notice`, `sequence-reset`, … `undefined` if unknown. */
  order(name: string, query: URLSearchParams): string | undefined
  stop(): void
}

/** One row of the simulators' registry. */
export interface SimVenue {
  readonly id: string
  readonly title: string
  readonly instruments: readonly SimInstrument[]
  /**
   * Keys of `exchanges.yaml` and the path each points to, below the venue's own prefix of the server:
   * `{ rest_url: '', websocket_url: '/ws/v5/public' }` is `http://host:port/okx`, `ws://host:port/okx/ws/v5/public`.
   */
  readonly options: Readonly<Record<string, string>>
  create(context: SimContext): SimExchange
}

/** What became of a market data frame. */
export interface FrameFate {
  /** The client got it unharmed. */
  readonly isDelivered: boolean
  /** When the venue made it, monotonic. */
  readonly madeMs: number
}

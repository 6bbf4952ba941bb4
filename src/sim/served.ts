import type { Clock } from '../platform/platform.ts'
import type { SimExchange, SimVenue } from './exchange.ts'
import type { FaultPlan } from './faults.ts'
import type { DrivenMarket } from './market.ts'
import type { ServerPeer } from './peer.ts'
import type { Tally } from './tally.ts'

/** Who gets in. `gone`: connections and requests are reset. `banned`: they are refused. */
export type Door = 'open' | 'gone' | 'banned'

/** One venue at work. */
export interface ServedVenue {
  door: Door
  readonly venue: SimVenue
  readonly market: DrivenMarket
  readonly exchange: SimExchange
  readonly peers: Set<ServerPeer>
}

/** What the parts of one server share. */
export interface ServerState {
  readonly clock: Clock
  readonly faults: FaultPlan
  readonly tally: Tally
  readonly served: ReadonlyMap<string, ServedVenue>
  /** A market data frame was given to a socket. */
  readonly onSent: (venue: string, channel: string, symbol: string) => void
  /** An answer of a venue was given to a client that is still there. */
  readonly onAnswered: (venue: string, path: string) => void
  readonly extraState: () => Readonly<Record<string, unknown>>
}

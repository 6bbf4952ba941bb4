import type { EpochUs, Market } from '../model/event.ts'
import type { Instruments } from './venue.ts'

/** What decoding knows besides the bytes. */
export interface Source {
  readonly receiveTimeUs: EpochUs | undefined
  readonly instruments: Instruments
}

/** One API of one exchange, and how its symbols tell their market where there is no metadata. */
export interface ApiIdentity {
  readonly exchange: string
  readonly venue: string
  marketOf(symbol: string): Market
}

/** The fields that every event has, but for `type` and `id`. */
export function originOf(api: ApiIdentity, symbol: string, source: Source, exchangeTimeUs: EpochUs | undefined) {
  const instrument = source.instruments.get(symbol)
  return {
    exchange: api.exchange,
    venue: api.venue,
    market: instrument?.market ?? api.marketOf(symbol),
    symbol,
    instrument: instrument?.instrument,
    exchange_time_us: exchangeTimeUs,
    receive_time_us: source.receiveTimeUs,
  }
}

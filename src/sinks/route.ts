/** The name of a record's stream in the log: what sinks need to know of an event without parsing it. */

import { CHANNEL_OF, type Channel, type EventType, type Market, type MarketEvent } from '../model/event.ts'

/** Where an event belongs: subject, table, partition. */
export type Route = Pick<MarketEvent, 'type' | 'exchange' | 'venue' | 'market' | 'symbol'>

/** `trade binance binance-usdm perpetual BTCUSDT`. Symbols have no spaces. */
export const routeText = ({ type, exchange, venue, market, symbol }: Route): string =>
  `${type} ${exchange} ${venue} ${market} ${symbol}`

/** What {@link routeText} wrote. */
export function routeOf(text: string): Route {
  const [type = '', exchange = '', venue = '', market = '', ...symbol] = text.split(' ')
  return { type: type as EventType, exchange, venue, market: market as Market, symbol: symbol.join(' ') }
}

/** The feed whose data the stream carries; `undefined` for gaps and instruments. */
export function feedOf(route: Route): { venue: string; channel: Channel; symbol: string } | undefined {
  const channel = CHANNEL_OF[route.type]
  return channel && { venue: route.venue, channel, symbol: route.symbol }
}

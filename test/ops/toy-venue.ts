import type { SequenceRule } from '../../src/book/sequence.ts'
import { CHANNELS, type Channel } from '../../src/model/event.ts'
import type { ChannelSpec, Venue } from '../../src/venues/venue.ts'

const rule: SequenceRule = () => 'gap'
const channel = (...names: readonly string[]): ChannelSpec => ({
  endpoints: Object.fromEntries(names.map((name) => [name, 'public'])),
  proofs: Object.fromEntries(names.map((name) => [name, 'none'])),
  silenceMs: { min: 1000, max: 60_000 },
})

/** A venue of data alone, for tests of what derives from the registry. */
export function toyVenue(id: string): Venue {
  return {
    id,
    exchange: id.split('-')[0] ?? id,
    title: `Toy ${id}`,
    restUrls: [`https://api.${id}.example`],
    endpoints: {
      public: { option: 'websocket_url', urls: [`wss://ws.${id}.example:443/v5`, `wss://ws.${id}.example:8443/v5`] },
      market: { option: 'websocket_market_url', urls: [`wss://market.${id}.example`] },
    },
    channels: Object.fromEntries(CHANNELS.map((name) => [name, channel(name, `${name}-fast`)])) as Record<
      Channel,
      ChannelSpec
    >,
    defaultSymbols: ['BTC-USDT', 'ETH-USDT'],
    socketLimits: {
      topicsPerConnectionMax: 1,
      sendsPerSecondMax: 1,
      topicsPerRequestMax: 1,
      sendBytesMax: 1,
      connects: { count: 1, windowMs: 1 },
    },
    restLimits: { budgets: { ip: { limit: 1, windowMs: 1 } } },
    keepalive: 'ping',
    book: { rule, snapshotFrom: 'stream' },
    marketOf: () => 'spot',
    tradeSpan: () => undefined,
    topic: (channelOf, name, symbol) => ({ channel: channelOf, symbol, endpoint: 'public', name, proof: 'none' }),
    greet: () => [],
    subscribe: () => [],
    unsubscribe: () => [],
    decode: () => ({ kind: 'alive' }),
    rest: {
      instruments: () => [],
      snapshotSizes: [{ levels: 1, weight: 1 }],
      snapshot: () => {
        throw new Error('a toy has no snapshots')
      },
      trades: () => {
        throw new Error('a toy has no trades')
      },
      newestTrade: () => {
        throw new Error('a toy has no trades')
      },
      polledTrades: 'trade',
      poll: () => [],
      recorded: () => undefined,
      fault: () => undefined,
    },
  }
}

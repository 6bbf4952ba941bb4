/** What venues do by their own rules, announced or not. */

import { between, type FaultKind, oneOf, type Strike } from './kind.ts'

const order = ({ venue }: Strike, name: string, params: Readonly<Record<string, string>> = {}): void => {
  venue.exchange.order(name, new URLSearchParams(params))
}

/** New subscriptions to one stream are treated so for a while; the connection is reset, so that there are some. */
const admission = (about: string, how: 'refused' | 'busy' | 'silent', venues?: readonly string[]): FaultKind => ({
  about,
  target: 'symbol',
  perMinute: 0.4,
  ...(venues && { venues }),
  draw: (random) => ({ ms: between(random, 1_000, 15_000) }),
  strike({ world, venue, fault, number }) {
    const name = (fault.symbol ?? '').toLowerCase()
    venue.admissions.set(name, how)
    for (const { link } of world.network.connections(venue.id)) link.reset()
    world.after(number('ms'), () => venue.admissions.delete(name))
    return number('ms')
  },
})

export const VENUE_FAULTS = {
  'close-announced': {
    about: 'a venue announces that it will close its connections, and does so',
    target: 'venue',
    venues: ['binance', 'okx'],
    perMinute: 0.5,
    draw: (random) => ({ ms: oneOf(random, [50, 1_000, 10_000]) }),
    strike(stage) {
      if (stage.venue.id === 'okx') order(stage, 'notice')
      else order(stage, 'shutdown-notice', { delay_ms: String(stage.number('ms')) })
      return undefined
    },
  },
  maintenance: {
    about: 'a venue is locked for maintenance',
    target: 'venue',
    venues: ['deribit'],
    perMinute: 0.4,
    active: 0.15,
    draw: (random) => ({ seconds: between(random, 2, 20), close: random() < 0.5 }),
    strike(stage) {
      order(stage, 'maintenance', { seconds: String(stage.number('seconds')), close: stage.word('close') })
      return stage.number('seconds') * 1000
    },
  },
  'sequence-reset': {
    about: 'a book starts its numbering anew',
    target: 'symbol',
    venues: ['okx'],
    perMinute: 1,
    strike(stage) {
      order(stage, 'sequence-reset', { symbol: stage.fault.symbol ?? '' })
      return undefined
    },
  },
  'book-ids-jump': {
    about: 'the ids of a venue jump ahead',
    target: 'venue',
    venues: ['binance-usdm'],
    perMinute: 1,
    strike(stage) {
      order(stage, 'ids-jump')
      return undefined
    },
  },
  'pre-open': {
    about: 'a book is crossed for a moment, as before an auction',
    target: 'symbol',
    venues: ['okx'],
    perMinute: 0.5,
    draw: (random) => ({ ms: between(random, 100, 3_000) }),
    strike(stage) {
      order(stage, 'pre-open', { symbol: stage.fault.symbol ?? '', ms: String(stage.number('ms')) })
      return stage.number('ms')
    },
  },
  checksums: {
    about: 'a venue begins to send checksums of its books, or stops',
    target: 'venue',
    venues: ['okx'],
    perMinute: 1,
    draw: (random) => ({ mode: oneOf(random, ['none', 'zero', 'crc']) }),
    strike(stage) {
      order(stage, 'checksum', { mode: stage.word('mode') })
      return undefined
    },
  },
  'subscription-refused': {
    ...admission('subscriptions of one symbol are refused for good', 'refused'),
    active: 0.03,
  },
  'subscription-busy': admission('subscriptions of one symbol are refused for now', 'busy', ['okx', 'deribit']),
  'subscription-silent': admission('a subscription is acknowledged, and no data come', 'silent'),
  'market-halted': {
    about: 'nothing is traded or quoted in a symbol for a while',
    target: 'symbol',
    perMinute: 0.7,
    draw: (random) => ({ ms: between(random, 1_000, 30_000) }),
    strike({ venue, fault, number }) {
      venue.market.halt(fault.symbol ?? '', number('ms'))
      return number('ms')
    },
  },
  'venue-clock-jumps': {
    about: 'the clock of a venue jumps, also backwards',
    target: 'venue',
    perMinute: 0.7,
    draw: (random) => ({ ms: oneOf(random, [-5_000, -700, 400, 3_000, 60_000]) }),
    strike({ venue, number }) {
      venue.wall.offsetUs += number('ms') * 1000
      return undefined
    },
  },
  'socket-lifetime': {
    about: 'a connection has reached its greatest age',
    target: 'venue',
    venues: ['binance', 'binance-usdm'],
    perMinute: 0.4,
    strike({ world, venue }) {
      const [oldest] = world.network.connections(venue.id)
      oldest?.link.server.close(1008, 'disconnected after 24 hours')
      return undefined
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>

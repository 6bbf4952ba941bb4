/** What venues do by their own rules, announced or not. */

import { between, type FaultKind, oneOf, type Strike } from './kind.ts'

/** After so long everyone has asked for the list of instruments again. */
const LIST_MS = 620_000
/** What had changed before a venue was locked is published so soon after. */
const PUBLISH_MS = 1_000
/** OKX closes so long after its notice. */
const OKX_NOTICE_MS = 60_000
/** In this time another connection can take over, so that nothing is missed. */
const NOTICE_MS_ENOUGH = 10_000

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
  strike({ world, venue, fault, number, struck, scope }) {
    const name = (fault.symbol ?? '').toLowerCase()
    struck(number('ms'))
    world.struck('venue-sockets-reset', scope('venue'))
    venue.admissions.set(name, how)
    for (const { link } of world.network.connections(venue.id)) link.reset()
    world.after(number('ms'), () => venue.admissions.delete(name))
  },
})

export const VENUE_FAULTS = {
  'close-announced': {
    about: 'a venue announces that it will close its connections, and does so',
    target: 'venue',
    venues: ['binance', 'okx'],
    perMinute: 0.5,
    draw: (random) => ({ ms: oneOf(random, [50, 1_000, 10_000]) }),
    strike(strike) {
      const { world, fault, venue, scope, number } = strike
      const noticeMs = venue.id === 'okx' ? OKX_NOTICE_MS : number('ms')
      const name = noticeMs < NOTICE_MS_ENOUGH ? fault.kind : 'close-announced-early'
      world.struck(name, scope(), OKX_NOTICE_MS)
      if (venue.id === 'okx') order(strike, 'notice')
      else order(strike, 'shutdown-notice', { delay_ms: String(noticeMs) })
    },
  },
  maintenance: {
    about: 'a venue is locked for maintenance',
    target: 'venue',
    venues: ['deribit'],
    perMinute: 0.4,
    active: 0.15,
    draw: (random) => ({ seconds: between(random, 2, 20), close: random() < 0.5 }),
    strike(strike) {
      const lastsMs = strike.number('seconds') * 1000
      strike.struck(lastsMs)
      strike.world.struck('rest-locked', strike.scope(), lastsMs)
      strike.venue.lockedUntilMs = strike.world.loop.nowMs + lastsMs + PUBLISH_MS
      // Nothing is traded on a locked platform.
      for (const symbol of strike.venue.symbols) strike.venue.market.halt(symbol, lastsMs)
      order(strike, 'maintenance', { seconds: strike.word('seconds'), close: strike.word('close') })
    },
  },
  'sequence-reset': {
    about: 'a book starts its numbering anew; the message that says so may be lost',
    target: 'symbol',
    venues: ['okx'],
    perMinute: 1,
    draw: (random) => ({ lost: random() < 0.5 }),
    strike(strike) {
      const { world, fault, word, scope } = strike
      strike.struck()
      if (word('lost') === 'true')
        world.arm('frame-lost', scope(), { kind: 'drop', venue: 'okx', symbol: fault.symbol, channel: 'book' })
      order(strike, 'sequence-reset', { symbol: strike.fault.symbol ?? '' })
    },
  },
  'book-ids-jump': {
    about: 'the ids of a venue jump ahead',
    target: 'venue',
    venues: ['binance-usdm'],
    perMinute: 1,
    strike(strike) {
      strike.struck()
      order(strike, 'ids-jump')
    },
  },
  'pre-open': {
    about: 'a book is crossed for a moment, as before an auction',
    target: 'symbol',
    venues: ['okx'],
    perMinute: 0.5,
    draw: (random) => ({ ms: between(random, 100, 3_000) }),
    strike(strike) {
      strike.struck(strike.number('ms'))
      order(strike, 'pre-open', { symbol: strike.fault.symbol ?? '', ms: strike.word('ms') })
    },
  },
  checksums: {
    about: 'a venue begins to send checksums of its books, or stops',
    target: 'venue',
    venues: ['okx'],
    perMinute: 1,
    draw: (random) => ({ mode: oneOf(random, ['none', 'zero', 'crc']) }),
    strike(strike) {
      strike.struck()
      order(strike, 'checksum', { mode: strike.word('mode') })
    },
  },
  'subscription-refused': {
    ...admission('subscriptions of one symbol are refused for good', 'refused'),
    active: 0.05,
  },
  'subscription-busy': admission('subscriptions of one symbol are refused for now', 'busy', ['okx', 'deribit']),
  'subscription-silent': {
    ...admission('a subscription is acknowledged, and no data come', 'silent'),
    active: 0.05,
  },
  'market-halted': {
    about: 'nothing is traded or quoted in a symbol for a while',
    target: 'symbol',
    perMinute: 0.7,
    draw: (random) => ({ ms: between(random, 1_000, 30_000) }),
    strike({ venue, fault, number, struck }) {
      struck(number('ms'))
      venue.market.halt(fault.symbol ?? '', number('ms'))
    },
  },
  'symbol-unlisted': {
    about: 'a venue takes a symbol off its list, and puts it back',
    target: 'symbol',
    perMinute: 0.4,
    active: 0.03,
    draw: (random) => ({ ms: oneOf(random, [5_000, 700_000]), restart: random() < 0.5 }),
    strike({ world, venue, fault, number, word, struck, scope }) {
      const symbol = fault.symbol ?? ''
      struck(number('ms') + LIST_MS)
      venue.market.list(symbol, false)
      world.after(number('ms'), () => venue.market.list(symbol, true))
      if (word('restart') !== 'true') return
      world.struck('venue-sockets-reset', scope('venue'))
      for (const { link } of world.network.connections(venue.id)) link.reset()
    },
  },
  'venue-clock-jumps': {
    about: 'the clock of a venue jumps, also backwards',
    target: 'venue',
    perMinute: 0.7,
    draw: (random) => ({ ms: oneOf(random, [-5_000, -700, 400, 3_000, 60_000]) }),
    strike({ venue, number, struck }) {
      struck()
      venue.wall.offsetUs += number('ms') * 1000
    },
  },
  'socket-lifetime': {
    about: 'a connection has reached its greatest age',
    target: 'venue',
    venues: ['binance', 'binance-usdm'],
    perMinute: 0.4,
    strike({ world, venue, struck }) {
      struck()
      const [oldest] = world.network.connections(venue.id)
      oldest?.link.server.close(1008, 'disconnected after 24 hours')
    },
  },
} satisfies Readonly<Record<string, FaultKind>>

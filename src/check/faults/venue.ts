/** What venues do by their own rules, announced or not. */

import type { OpenConnection } from '../../sim/virtual/net.ts'
import type { World } from '../world.ts'
import { LIST_MS, type Treatment } from '../world-venue.ts'
import { between, type FaultKind, oneOf, type Strike } from './kind.ts'

/** What a venue did not show while it was locked, or before an auction, it has published so soon after. */
const PUBLISH_MS = 1_000
const LIST_LATE_MS = 100_000
/** OKX closes so long after its notice. */
const OKX_NOTICE_MS = 60_000
/** In this time another connection can take over, so that nothing is missed. */
const NOTICE_MS_ENOUGH = 10_000
const NOTICE_EVERY_MS = 60_000

const order = ({ venue }: Strike, name: string, params: Readonly<Record<string, string>> = {}): void => {
  venue.exchange.order(name, new URLSearchParams(params))
}

/** The venue says that it will end its connections; what is done to those that are open now, by `before` and `after` that. */
const announced = (about: string, done: Pick<FaultKind, 'draw'> & Announced): FaultKind => ({
  about,
  target: 'venue',
  venues: ['binance'],
  perMinute: 0.7,
  ...(done.draw && { draw: done.draw }),
  strike(strike) {
    const { world, venue, scope } = strike
    if (!isNoticeDue(strike)) return
    const open = world.network.connections(venue.id)
    done.before?.(open, strike)
    world.struck('close-announced-early', scope(), OKX_NOTICE_MS)
    order(strike, 'shutdown-notice', { delay_ms: String(NOTICE_MS_ENOUGH) })
    done.after?.(open, strike)
  },
})

/** Notices that follow each other closely are not all answered by a new connection at once; nor is one that nobody hears. */
function isNoticeDue({ world: { loop, network }, venue }: Strike): boolean {
  const isDue = loop.nowMs >= venue.noticedMs + NOTICE_EVERY_MS
  venue.noticedMs = loop.nowMs
  return isDue && network.connections(venue.id).every(({ link, peer }) => !link.isCut && !peer.isFrozen)
}

interface Announced {
  before?(open: readonly OpenConnection[], strike: Strike): void
  after?(open: readonly OpenConnection[], strike: Strike): void
}

/** New subscriptions to one stream are treated so for a while; the connection is reset, so that there are some. */
const admission = (about: string, how: Treatment, venues?: readonly string[]): FaultKind => ({
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

/** A frame that comes out of turn would have its old number taken for a new one. */
function release({ network }: World, venue: string): void {
  for (const { peer } of network.connections(venue)) peer.release()
}

function unlist({ world, venue, fault, number, word, struck, scope }: Strike): void {
  const symbol = fault.symbol ?? ''
  // A list without any symbol is believed by nobody.
  if (venue.goneMs.has(symbol) || venue.symbols.length - venue.goneMs.size < 2) return
  // Nobody may notice that it was away for a moment.
  if (number('ms') > LIST_MS) world.awaits(number('ms') + LIST_MS)
  struck(number('ms') + LIST_MS)
  venue.market.list(symbol, false)
  // A process that began anew meanwhile asks for the list as much later.
  venue.goneMs.set(symbol, world.loop.nowMs + LIST_MS + LIST_LATE_MS)
  world.after(number('ms'), () => {
    venue.market.list(symbol, true)
    venue.goneMs.delete(symbol)
  })
  if (word('restart') !== 'true') return
  world.struck('venue-sockets-reset', scope('venue'))
  for (const { link } of world.network.connections(venue.id)) link.reset()
}

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
      const isEarly = isNoticeDue(strike) && noticeMs >= NOTICE_MS_ENOUGH
      const name = !isEarly ? fault.kind : 'close-announced-early'
      world.struck(name, scope(), OKX_NOTICE_MS)
      if (venue.id === 'okx') order(strike, 'notice')
      else order(strike, 'shutdown-notice', { delay_ms: String(noticeMs) })
    },
  },
  'handover-lagging': announced('a connection whose end is announced is seconds behind the next one', {
    draw: (random) => ({ lag: between(random, 200, 2_500) }),
    before(open, { number, struck }) {
      struck()
      for (const { link } of open) link.lagMs = number('lag')
    },
  }),
  'handover-broken': announced('a connection whose end is announced breaks before the next one has taken over', {
    draw: (random) => ({ ms: between(random, 20, 2_000) }),
    after(open, { world, number, struck }) {
      struck(number('ms'))
      world.after(number('ms'), () => {
        for (const { link } of open) link.reset()
      })
    },
  }),
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
  'trades-renumbered': {
    about: 'a venue numbers the trades of a symbol anew, with numbers that it has used before',
    target: 'symbol',
    venues: ['okx'],
    perMinute: 1,
    active: 0.1,
    draw: (random) => ({ back: between(random, 3, 60) }),
    strike({ world, venue, fault: { symbol = '' }, number, struck }) {
      // Only the time tells what is new.
      if (venue.wall.offsetUs !== 0) return
      struck()
      release(world, venue.id)
      venue.market.renumber(symbol, number('back'))
      world.trace({ kind: 'renumbered', atUs: world.nowUs(), venue: venue.id, symbol, venueUs: venue.timeUs() })
      venue.isClockFixed = true
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
      const { venue, world, fault } = strike
      strike.struck(strike.number('ms'))
      venue.crossedUntilMs.set(fault.symbol ?? '', world.loop.nowMs + strike.number('ms') + PUBLISH_MS)
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
  'subscription-refused-long': {
    ...admission('subscriptions of one symbol are refused for good, for minutes', 'refused'),
    perMinute: 1.5,
    active: 0.02,
    draw: (random) => ({ ms: between(random, 100_000, 240_000) }),
  },
  'subscription-refused-once': admission(
    'a request is refused because of one of its streams, which alone is taken',
    'refused-once',
    ['binance', 'binance-usdm'],
  ),
  'subscription-left-out': {
    ...admission('an answer to subscriptions lacks one of them', 'refused', ['deribit']),
    perMinute: 1.5,
    active: 0.02,
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
    draw: (random) => ({ ms: 5_000, restart: random() < 0.5 }),
    strike: unlist,
  },
  'symbol-unlisted-long': {
    about: 'a venue takes a symbol off its list, and puts it back a long time later',
    target: 'symbol',
    // Others refuse a subscription to what they do not list.
    venues: ['binance', 'binance-usdm'],
    perMinute: 1.5,
    active: 0.025,
    draw: () => ({ ms: 900_000, restart: false }),
    strike: unlist,
  },
  'venue-clock-jumps': {
    about: 'the clock of a venue jumps, also backwards',
    target: 'venue',
    perMinute: 0.7,
    draw: (random) => ({ ms: oneOf(random, [-5_000, -700, 400, 3_000, 60_000]) }),
    strike({ world, venue, number, struck }) {
      if (venue.isClockFixed) return
      struck()
      release(world, venue.id)
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

/** What happens to connections, and to those who connect. */

import type { DialFault, OpenConnection } from '../../sim/virtual/net.ts'
import { between, type Draw, type FaultKind, oneOf, type Strike } from './kind.ts'

/** A connection of the venue that carries the collector's data, chosen by the plan. */
const chosen = ({ world, venue, number }: Strike): OpenConnection[] => {
  const open = world.network.connections(venue.id)
  return open.length === 0 ? [] : [open[number('nth') % open.length] as OpenConnection]
}

const nth: Draw = (random) => ({ nth: between(random, 0, 7) })

/** Something happens to one connection at once. */
const ends = (
  about: string,
  perMinute: number,
  end: (connection: OpenConnection, strike: Strike) => void,
): FaultKind => ({
  about,
  target: 'venue',
  perMinute,
  draw: nth,
  strike(strike) {
    for (const connection of chosen(strike)) end(connection, strike)
    strike.struck()
  },
})

/** Whoever connects to the venue meets the fault for a while; who is connected is thrown out first, or nobody would. */
const dial = (about: string, perMinute: number, fault: (strike: Strike) => DialFault): FaultKind => ({
  about,
  target: 'venue',
  perMinute,
  draw: (random) => ({ nth: between(random, 0, 7), ms: between(random, 500, 20_000), code: oneOf(random, CODES) }),
  strike(strike) {
    const { world, venue, number, struck } = strike
    const met = fault(strike)
    struck(number('ms'))
    venue.dial = met
    if (met.kind === 'slow') venue.handshakeMs = Math.max(venue.handshakeMs, met.ms)
    for (const { link } of chosen(strike)) link.reset()
    world.after(number('ms'), () => {
      if (venue.dial === met) venue.dial = undefined
    })
  },
})

const CODES = [403, 429, 451, 503] as const
const CLOSE_CODES = [1000, 1001, 1006, 1008, 1011, 1012, 1013, 4001, 4005] as const

interface Freezing {
  /** The result ends it. */
  freeze(connection: OpenConnection): () => void
  /** Not even answers to pings come. */
  readonly isDeaf: boolean
}

const gag =
  (pongs: boolean) =>
  ({ peer }: OpenConnection) => {
    peer.freeze(pongs)
    return () => peer.thaw()
  }
const SILENT: Freezing = { freeze: gag(true), isDeaf: false }
const DEAF: Freezing = { freeze: gag(false), isDeaf: true }
const CUT: Freezing = { freeze: ({ link }) => link.cut(false), isDeaf: true }

/** The connection passes nothing for a while; the trace says so. */
const frozen = (about: string, { freeze, isDeaf }: Freezing): FaultKind => ({
  about,
  target: 'venue',
  perMinute: 0.5,
  draw: (random) => ({ nth: between(random, 0, 7), ms: oneOf(random, [1_000, 5_000, 12_000, 30_000, 120_000]) }),
  strike(strike) {
    const { world, number, struck } = strike
    struck(number('ms'))
    for (const connection of chosen(strike)) {
      const { id, venue, link } = connection
      const say = (state: 'frozen' | 'thawed') =>
        world.trace({ kind: 'connection', atUs: world.nowUs(), venue, connection: id, state, isDeaf })
      const thaw = freeze(connection)
      let isThawed = false
      // What the network holds back still arrives.
      link.behindHeld(() => {
        if (!isThawed && !link.isClientClosed) say('frozen')
      })
      world.after(number('ms'), () => {
        isThawed = true
        thaw()
        if (!link.isClientClosed) say('thawed')
      })
    }
  },
})

const HALF_OPEN_QUIET: FaultKind = {
  ...frozen('everything sent on a connection vanishes while nothing is traded', CUT),
  draw: (random) => ({ nth: between(random, 0, 7), ms: between(random, 20_000, 30_000) }),
}

/** A venue whose question was swallowed gives the connection up by then, and the next one is there. */
const UNANSWERED_MS = 25_000

export const SOCKET_FAULTS = {
  'socket-reset': ends('a connection is reset', 1.5, ({ link }) => link.reset()),
  'socket-eof': ends('a connection ends without a close frame', 1, ({ link }) => link.server.close(1006, '')),
  'socket-closed': {
    ...ends('a venue closes a connection with a code', 1.5, ({ link }, { number }) =>
      link.server.close(number('code'), 'see you'),
    ),
    draw: (random) => ({ nth: between(random, 0, 7), code: oneOf(random, CLOSE_CODES) }),
  },
  'socket-silent': frozen('an open connection sends nothing, but answers pings', SILENT),
  'socket-deaf': frozen('an open connection sends nothing, not even pongs', DEAF),
  'half-open': frozen('everything sent on a connection vanishes, in both directions', CUT),
  'half-open-quiet': {
    ...HALF_OPEN_QUIET,
    strike(strike) {
      for (const symbol of strike.venue.symbols) strike.venue.market.halt(symbol, strike.number('ms'))
      HALF_OPEN_QUIET.strike(strike)
    },
  },
  'network-pause': {
    about: 'nothing arrives for a while, then all of it',
    target: 'venue',
    perMinute: 0.7,
    draw: (random) => ({ nth: between(random, 0, 7), ms: between(random, 200, 14_000) }),
    strike(strike) {
      const { world, number, struck } = strike
      struck(number('ms'))
      for (const { link } of chosen(strike)) {
        world.after(number('ms'), link.cut(true))
      }
    },
  },
  'late-frames': {
    about: 'a client ends a connection on which nothing can be read, and frames that can still come',
    target: 'venue',
    perMinute: 2,
    active: 0.3,
    strike({ world, venue: { id }, fault, struck, scope }) {
      struck(3_000)
      for (const { link } of world.network.connections(id)) link.lateFrames = 5
      world.arm(fault.kind, scope(), { kind: 'malformed', how: 'garbage', venue: id, count: 8 })
    },
  },
  'connect-rejected': dial('connecting to a venue is rejected', 0.5, () => ({ kind: 'refused' })),
  'connect-blackhole': dial('connecting to a venue is never answered', 0.4, () => ({ kind: 'blackhole' })),
  'connect-status': dial('the upgrade is answered with 403, 429, 451 or 503', 0.5, ({ number }) => ({
    kind: 'status',
    status: number('code'),
  })),
  'connect-slow': dial('the handshake takes seconds', 0.5, ({ number }) => ({
    kind: 'slow',
    ms: Math.min(11_000, number('ms')),
  })),
  'connect-flapping': dial('connections open and die at once', 0.5, ({ number }) => ({
    kind: 'flapping',
    ms: number('ms') % 1_500,
  })),
  'venue-flapping': {
    about: 'a venue that allows few connections a second throws everyone out, and again as soon as they are back',
    target: 'venue',
    venues: ['okx'],
    perMinute: 0.7,
    active: 0.15,
    draw: (random) => ({ ms: between(random, 1_500, 6_000), lives: between(random, 0, 40) }),
    strike({ world, venue, number, struck }) {
      struck(number('ms'))
      const met: DialFault = { kind: 'flapping', ms: number('lives') }
      venue.dial = met
      for (const { link } of world.network.connections(venue.id)) link.reset()
      world.after(number('ms'), () => {
        if (venue.dial === met) venue.dial = undefined
      })
    },
  },
  'all-sockets-reset': {
    about: 'all connections to all venues are reset together',
    target: 'machine',
    perMinute: 0.4,
    strike({ world, struck }) {
      struck()
      for (const { link } of world.network.connections()) link.reset()
    },
  },
  'venue-sockets-reset': {
    about: 'all connections to one venue are reset together',
    target: 'venue',
    perMinute: 0.5,
    strike({ world, venue, struck }) {
      struck()
      for (const { link } of world.network.connections(venue.id)) link.reset()
    },
  },
  'network-down': {
    about: 'the network is gone for a while: nothing passes, nobody can connect',
    target: 'machine',
    perMinute: 0.3,
    draw: (random) => ({ ms: between(random, 1_000, 25_000) }),
    strike({ world, number, struck }) {
      struck(number('ms'))
      world.awaits(number('ms') + UNANSWERED_MS)
      world.struck('rest-unreachable', {}, number('ms'))
      const mends = world.network.connections().map(({ link }) => link.cut(false))
      for (const venue of world.venues.values()) venue.isUnreachable = true
      world.after(number('ms'), () => {
        for (const venue of world.venues.values()) venue.isUnreachable = false
        for (const mend of mends) mend()
      })
    },
  },
} satisfies Readonly<Record<string, FaultKind>>

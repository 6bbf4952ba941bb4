/** What happens to REST requests. */

import type { FaultSpec } from '../../sim/faults.ts'
import { between, type Draw, type FaultKind, oneOf, type Strike } from './kind.ts'

/** The next answers of the venue meet the fault; frames of books and trades are lost, so that there is something to ask. */
const kind = (about: string, perMinute: number, draw: Draw, spec: (strike: Strike) => FaultSpec): FaultKind => ({
  about,
  target: 'symbol',
  perMinute,
  draw,
  strike(strike) {
    const { world, fault, scope } = strike
    world.arm(fault.kind, scope('venue'), { ...spec(strike), venue: fault.venue })
    loseFrames(strike)
  },
})

function loseFrames({ world, scope, fault: { venue, symbol } }: Strike): void {
  for (const channel of ['book', 'trade'] as const)
    world.arm('frame-lost', { ...scope(), channel }, { kind: 'drop', venue, symbol, channel })
}

const some: Draw = (random) => ({ count: between(random, 1, 6) })
const waits: Draw = (random) => ({ ms: between(random, 300, 12_000), count: between(random, 1, 3) })
/** Also less than anyone waits who was told to. */
const retry: Draw = (random) => ({ seconds: oneOf(random, [0, 0.01, 1, 5, 15]) })

/** Frames are lost while the venue forbids requests, so that there is a wish to ask all the same. */
const pressed = (fault: FaultKind): FaultKind => ({
  ...fault,
  strike(strike) {
    fault.strike(strike)
    strike.world.after(3_000, () => loseFrames(strike))
  },
})

const banned = pressed(
  kind('status 418: banned for seconds', 0.5, retry, ({ number }) => ({
    kind: 'rest-status',
    status: 418,
    retry_after: number('seconds'),
  })),
)
const absurdly = kind(
  'status 429 that asks to wait for weeks',
  0.3,
  () => ({}),
  () => ({ kind: 'rest-status', status: 429, retry_after: 4_000_000_000 }),
)
const BINANCE = ['binance', 'binance-usdm'] as const
/** Nobody who waits for the market to move has its book by then. */
const QUIET_MS = 175_000

/** The process is killed when it has known the answer for a while: the next one has to know it too. */
const killed = (fault: FaultKind): FaultKind => ({
  ...fault,
  strike(strike) {
    const { world, venue } = strike
    const { machine } = world
    fault.strike(strike)
    world.after(6_000, () => {
      if (venue.forbiddenUntilMs <= world.loop.nowMs) return
      world.struck('process-killed', {})
      machine.kill()
      world.after(10, () => machine.start())
    })
  },
})

export const REST_FAULTS = {
  'rest-slow': kind('answers take seconds', 1, waits, ({ number }) => ({
    kind: 'rest-delay',
    ms: number('ms'),
    count: number('count'),
  })),
  'rest-never': kind('requests are never answered', 0.7, some, ({ number }) => ({
    kind: 'rest-timeout',
    count: Math.min(2, number('count')),
  })),
  'rest-reset': kind('connections for requests are reset', 1, some, ({ number }) => ({
    kind: 'rest-reset',
    count: number('count'),
  })),
  'rest-error': kind('answers with status 500', 1, some, ({ number }) => ({
    kind: 'rest-status',
    status: 500,
    count: number('count'),
  })),
  'rest-html': kind('an HTML page instead of data', 0.7, some, ({ number }) => ({
    kind: 'rest-malformed',
    how: 'garbage',
    count: number('count'),
  })),
  'rest-empty': kind('an empty answer', 0.7, some, ({ number }) => ({
    kind: 'rest-malformed',
    how: 'empty',
    count: number('count'),
  })),
  'rest-cut': kind('an answer that ends in the middle', 0.7, some, ({ number }) => ({
    kind: 'rest-malformed',
    count: number('count'),
  })),
  'rest-ghost': {
    ...kind(
      'a book with a level that is not there',
      0.5,
      () => ({}),
      ({ venue }) => ({ kind: 'rest-forged', how: 'ghost', path: venue.id.startsWith('binance') ? 'depth' : 'book' }),
    ),
    active: 0.03,
  },
  'rest-limited': pressed(
    kind('status 429 with a time to wait', 0.7, retry, ({ number }) => ({
      kind: 'rest-status',
      status: 429,
      retry_after: number('seconds'),
    })),
  ),
  'rest-limited-absurdly': { ...absurdly, active: 0.02 },
  'rest-banned': { ...banned, venues: BINANCE },
  'rest-banned-killed': {
    ...killed(banned),
    about: 'status 418, and the process is killed before the ban ends',
    venues: BINANCE,
    active: 0.12,
    draw: () => ({ seconds: 20 }),
  },
  'rest-stale': {
    about: 'answers come from a node that is seconds behind',
    target: 'symbol',
    perMinute: 0.7,
    draw: (random) => ({ lag: between(random, 1_000, 9_000), ms: between(random, 500, 12_000) }),
    strike(strike) {
      const { world, venue, number, struck } = strike
      struck(number('ms'), 'venue')
      venue.staleMs = number('lag')
      world.after(number('ms'), () => {
        venue.staleMs = 0
      })
      loseFrames(strike)
    },
  },
  'rest-failing-quiet': {
    about: 'a venue throws everyone out, the books of one symbol cannot be fetched, and its market stands still',
    target: 'symbol',
    venues: BINANCE,
    perMinute: 0.8,
    active: 0.06,
    draw: (random) => ({ count: between(random, 1, 3) }),
    strike({ world, venue: { id, market }, fault: { kind, symbol = '' }, number, struck, scope }) {
      const path = `depth?symbol=${symbol}`
      world.arm(kind, scope('venue'), { kind: 'rest-status', status: 500, venue: id, path, count: number('count') })
      struck()
      market.halt(symbol, QUIET_MS)
      world.struck('market-halted', scope(), QUIET_MS)
      world.awaits(QUIET_MS)
      world.struck('venue-sockets-reset', scope('venue'))
      for (const { link } of world.network.connections(id)) link.reset()
    },
  },
} satisfies Readonly<Record<string, FaultKind>>

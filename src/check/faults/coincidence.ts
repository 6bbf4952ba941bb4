/** Faults that are harmless one by one, and come at the worst moment of another. */

import { between, type FaultKind, oneOf, type Strike } from './kind.ts'

/** An answer that lists trades is on its way to the client for so long. */
const ANSWER_MS = 5
/** A part of the path of every venue's requests for trades. */
const TRADES_PATH = 'rades'
const LOST_EVERY_MS = 600

function resetSockets({ world, venue, scope }: Strike): void {
  world.struck('venue-sockets-reset', scope('venue'))
  for (const { link } of world.network.connections(venue.id)) link.reset()
}

function kill({ world, number }: Strike): void {
  const { machine } = world
  if (machine.collector === undefined) return
  world.struck('process-killed', {}, number('down'))
  machine.kill()
  world.after(number('down'), () => machine.start())
}

export const COINCIDENT_FAULTS = {
  'trades-answered-cut': {
    about: 'an answer tells newer trades than the connections have brought, and these are reset at that moment',
    target: 'symbol',
    perMinute: 0.8,
    active: 0.12,
    draw: (random) => ({ cut: between(random, 0, 40) }),
    strike(strike) {
      const { world, fault, number, scope } = strike
      const { kind, venue, symbol } = fault
      world.arm('frame-lost', { ...scope(), channel: 'trade' }, { kind: 'drop', venue, symbol, channel: 'trade' })
      const answer = { kind: 'rest-delay', venue, path: TRADES_PATH, ms: ANSWER_MS } as const
      world.arm(kind, scope('venue'), answer, () => world.after(number('cut'), () => resetSockets(strike)))
    },
  },
  'losses-unhealed-killed': {
    about: 'trades of a symbol are lost again and again while none can be fetched, then the process is killed',
    target: 'symbol',
    perMinute: 0.6,
    active: 0.08,
    draw: (random) => ({ ms: between(random, 3_000, 20_000), down: oneOf(random, [10, 3_000]) }),
    strike(strike) {
      const { world, fault, number, scope } = strike
      const { kind, venue, symbol } = fault
      const lost = { kind: 'drop', venue, symbol, channel: 'trade' } as const
      const refused = { kind: 'rest-status', status: 500, venue, path: TRADES_PATH } as const
      for (let ms = 0; ms < number('ms'); ms += LOST_EVERY_MS)
        world.after(ms, () => {
          world.arm('frame-lost', { ...scope(), channel: 'trade' }, lost)
          world.arm(kind, scope('venue'), refused)
        })
      world.after(number('ms'), () => kill(strike))
    },
  },
} satisfies Readonly<Record<string, FaultKind>>

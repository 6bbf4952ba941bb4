/** What happens to the frames of one stream. */

import type { FaultSpec } from '../../sim/faults.ts'
import { between, type Draw, type FaultKind, oneOf, type Strike, type Target } from './kind.ts'

type Spec = Omit<FaultSpec, 'venue' | 'channel' | 'symbol'>
interface Rest {
  readonly draw?: Draw
  readonly channels?: FaultKind['channels']
  /** What it touches, where that is more than the stream. */
  readonly reach?: Target
}

/** The next frames of the stream meet the fault. */
const frames = (about: string, perMinute: number, spec: (strike: Strike) => Spec, rest: Rest = {}): FaultKind => ({
  about,
  target: 'stream',
  perMinute,
  ...(rest.channels && { channels: rest.channels }),
  ...(rest.draw && { draw: rest.draw }),
  strike(strike) {
    const { kind, venue, channel, symbol } = strike.fault
    strike.world.arm(kind, strike.scope(rest.reach), { venue, channel, symbol, ...spec(strike) })
  },
})

/** The venue's next answers to requests meet the fault. */
const answers = (about: string, draw: Draw, spec: (strike: Strike) => Spec): FaultKind => ({
  about,
  target: 'venue',
  perMinute: 1,
  draw,
  strike(strike) {
    const { kind, venue } = strike.fault
    strike.world.arm(kind, strike.scope(), { venue, channel: 'answer', count: strike.number('count'), ...spec(strike) })
  },
})

/** More than anyone trades at once. */
const TRADES_OF_STEP_MAX = 20
/** By then a loss at the end of a stream has been asked about. */
const UNFOUND_MS = 90_000

const burst: Draw = (random) => ({ count: between(random, 2, 15) })

export const STREAM_FAULTS = {
  'frame-lost': frames('one frame never comes', 60, () => ({ kind: 'drop' })),
  'frames-lost': frames(
    'several frames in a row never come',
    8,
    ({ number }) => ({ kind: 'drop', count: number('count') }),
    { draw: burst },
  ),
  'last-frame-lost': {
    about: 'a frame is lost, and the market of the symbol then stands still for a while',
    target: 'stream',
    perMinute: 1,
    draw: (random) => ({ ms: between(random, 2_000, 20_000) }),
    strike({ world, fault: { kind, channel, symbol = '' }, venue, number, scope }) {
      world.arm(kind, scope(), { kind: 'drop', venue: venue.id, channel, symbol })
      world.after(500, () => venue.market.halt(symbol, number('ms')))
      world.struck('market-halted', scope('symbol'), number('ms') + 500)
    },
  },
  'last-trade-lost': {
    about: 'a trade is lost, and nothing is traded in the symbol for longer than anyone waits to ask',
    target: 'symbol',
    perMinute: 1,
    active: 0.08,
    strike({ world, fault: { kind, symbol = '' }, venue: { id, market }, scope }) {
      const reach = { ...scope(), channel: 'trade' } as const
      // All trades of one step, which come in one message or in several.
      const spec = { kind: 'drop', venue: id, channel: 'trade', symbol, count: TRADES_OF_STEP_MAX } as const
      world.arm(kind, reach, spec, () => {
        market.halt(symbol, UNFOUND_MS)
        world.struck('market-halted', scope(), UNFOUND_MS)
        world.awaits(UNFOUND_MS)
      })
    },
  },
  'last-change-spoilt': {
    about: 'a change of a book cannot be read, and the market of the symbol then stands still',
    target: 'symbol',
    perMinute: 1,
    active: 0.08,
    strike({ world, fault: { kind, symbol = '' }, venue: { id, market }, scope }) {
      const spec = { kind: 'malformed', how: 'truncated', venue: id, channel: 'book', symbol } as const
      world.arm(kind, { ...scope(), channel: 'book' }, spec, () => {
        market.halt(symbol, UNFOUND_MS)
        world.struck('market-halted', scope(), UNFOUND_MS)
      })
    },
  },
  'frame-twice': frames('one frame comes twice', 30, () => ({ kind: 'duplicate' })),
  'frames-twice': frames(
    'several frames in a row come twice',
    2,
    ({ number }) => ({ kind: 'duplicate', count: number('count') }),
    { draw: burst },
  ),
  'frames-swapped': frames('two neighbouring frames change places', 30, () => ({ kind: 'reorder' })),
  'frame-late': frames(
    'a frame, and all behind it on the connection, comes late',
    3,
    ({ number }) => ({ kind: 'delay', ms: number('ms') }),
    { draw: (random) => ({ ms: between(random, 50, 3_000) }), reach: 'venue' },
  ),
  'stream-rewound': frames(
    'the last frames of the stream come again',
    2,
    ({ number }) => ({ kind: 'rewind', frames: number('frames') }),
    { draw: (random) => ({ frames: between(random, 2, 40) }) },
  ),
  'stream-dead': frames('one subscription dies without a word', 0.7, () => ({ kind: 'mute' })),
  'frame-cut': frames('JSON that ends in the middle', 2, () => ({ kind: 'malformed', how: 'truncated' })),
  'frame-mistyped': frames('valid JSON of a wrong type', 2, () => ({ kind: 'malformed', how: 'type' })),
  'frame-garbage': frames('no JSON, nothing says whose it is', 1, () => ({ kind: 'malformed', how: 'garbage' }), {
    reach: 'venue',
  }),
  'frame-new-fields': frames('a field more than documented', 15, () => ({ kind: 'malformed', how: 'fields' })),
  'frame-not-utf8': frames('bytes that are no UTF-8', 0.7, () => ({ kind: 'malformed', how: 'utf8' }), {
    reach: 'venue',
  }),
  'frame-huge': frames('a message longer than any limit', 0.2, () => ({ kind: 'malformed', how: 'huge' }), {
    reach: 'venue',
  }),
  'book-crossed': frames(
    'a book frame brings a bid above the best ask',
    0.7,
    () => ({ kind: 'forged', how: 'crossed' }),
    { channels: ['book'] },
  ),
  'book-ghost': {
    ...frames('a book frame brings a level that is not there', 2, () => ({ kind: 'forged', how: 'ghost' }), {
      channels: ['book'],
    }),
    active: 0.06,
  },
  'snapshot-ahead': {
    about: 'a book frame is lost, and the stream then is seconds behind REST',
    target: 'stream',
    channels: ['book'],
    perMinute: 1,
    draw: (random) => ({ ms: between(random, 500, 4_000), skip: between(random, 1, 3) }),
    strike({ world, fault: { kind, venue, channel, symbol }, number, scope }) {
      world.arm('frame-lost', scope(), { kind: 'drop', venue, channel, symbol })
      const late = { ms: number('ms'), skip: number('skip') }
      world.arm(kind, scope('venue'), { kind: 'delay', venue, channel, symbol, ...late })
    },
  },
  'answer-lost': answers(
    'the next answers to subscriptions never come; the data do',
    (random) => ({ count: between(random, 1, 3) }),
    () => ({ kind: 'drop' }),
  ),
  'answer-late': answers(
    'the next answers to subscriptions come after the data',
    (random) => ({ ms: between(random, 500, 15_000), count: between(random, 1, 3) }),
    ({ number }) => ({ kind: 'delay', ms: number('ms') }),
  ),
  'answer-twice': answers(
    'an answer comes again, unasked',
    (random) => ({ count: oneOf(random, [1, 3]) }),
    () => ({ kind: 'duplicate' }),
  ),
} satisfies Readonly<Record<string, FaultKind>>

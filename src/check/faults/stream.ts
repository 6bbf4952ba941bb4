/** What happens to the frames of one stream. */

import type { FaultSpec } from '../../sim/faults.ts'
import { between, type FaultKind, oneOf, type Strike } from './kind.ts'

/** The next frames of the stream meet the fault. */
const meet =
  (spec: (strike: Strike) => Omit<FaultSpec, 'venue' | 'channel' | 'symbol'>): FaultKind['strike'] =>
  (strike) => {
    const { venue, channel, symbol } = strike.fault
    strike.world.faults.add({ venue, channel, symbol, ...spec(strike) })
    return undefined
  }

const kind = (
  about: string,
  perMinute: number,
  draw: NonNullable<FaultKind['draw']>,
  spec: Parameters<typeof meet>[0],
  channels?: FaultKind['channels'],
): FaultKind => ({ about, target: 'stream', perMinute, draw, strike: meet(spec), ...(channels && { channels }) })

const none = () => ({})
const burst = (random: Parameters<NonNullable<FaultKind['draw']>>[0]) => ({ count: between(random, 2, 15) })

export const STREAM_FAULTS = {
  'frame-lost': kind('one frame never comes', 6, none, () => ({ kind: 'drop' })),
  'frames-lost': kind('several frames in a row never come', 2, burst, ({ number }) => ({
    kind: 'drop',
    count: number('count'),
  })),
  'last-frame-lost': {
    about: 'a frame is lost, and the market of the symbol then stands still for a while',
    target: 'stream',
    perMinute: 1,
    draw: (random) => ({ ms: between(random, 2_000, 20_000) }),
    strike({ world, fault, venue, number }) {
      const { channel, symbol = '' } = fault
      world.faults.add({ kind: 'drop', venue: venue.id, channel, symbol })
      world.after(500, () => venue.market.halt(symbol, number('ms')))
      return number('ms') + 500
    },
  },
  'frame-twice': kind('one frame comes twice', 4, none, () => ({ kind: 'duplicate' })),
  'frames-twice': kind('several frames in a row come twice', 1, burst, ({ number }) => ({
    kind: 'duplicate',
    count: number('count'),
  })),
  'frames-swapped': kind('two neighbouring frames change places', 4, none, () => ({ kind: 'reorder' })),
  'frame-late': kind(
    'a frame, and all behind it on the connection, comes late',
    3,
    (random) => ({ ms: between(random, 50, 3_000) }),
    ({ number }) => ({ kind: 'delay', ms: number('ms') }),
  ),
  'stream-rewound': kind(
    'the last frames of the stream come again',
    1,
    (random) => ({ frames: between(random, 2, 40) }),
    ({ number }) => ({ kind: 'rewind', frames: number('frames') }),
  ),
  'stream-dead': kind('one subscription dies without a word', 0.7, none, () => ({ kind: 'mute' })),
  'frame-cut': kind('JSON that ends in the middle', 1.5, none, () => ({ kind: 'malformed', how: 'truncated' })),
  'frame-mistyped': kind('valid JSON of a wrong type', 1.5, none, () => ({ kind: 'malformed', how: 'type' })),
  'frame-garbage': kind('no JSON, nothing says whose it is', 1, none, () => ({ kind: 'malformed', how: 'garbage' })),
  'frame-new-fields': kind('a field more than documented', 2, none, () => ({ kind: 'malformed', how: 'fields' })),
  'frame-not-utf8': kind('bytes that are no UTF-8', 0.7, none, () => ({ kind: 'malformed', how: 'utf8' })),
  'frame-huge': kind('a message longer than any limit', 0.2, none, () => ({ kind: 'malformed', how: 'huge' })),
  'book-crossed': kind(
    'a book frame brings a bid above the best ask',
    0.7,
    none,
    () => ({ kind: 'forged', how: 'crossed' }),
    ['book'],
  ),
  'snapshot-ahead': {
    about: 'a book frame is lost, and the stream then is seconds behind REST',
    target: 'stream',
    channels: ['book'],
    perMinute: 1,
    draw: (random) => ({ ms: between(random, 500, 4_000), skip: between(random, 1, 3) }),
    strike({ world, fault, number }) {
      const { venue, channel, symbol } = fault
      world.faults.add({ kind: 'drop', venue, channel, symbol })
      world.faults.add({ kind: 'delay', venue, channel, symbol, ms: number('ms'), skip: number('skip') })
      return undefined
    },
  },
  'answer-lost': {
    about: 'the next answers to subscriptions never come; the data do',
    target: 'venue',
    perMinute: 1,
    draw: (random) => ({ count: between(random, 1, 3) }),
    strike({ world, fault, number }) {
      world.faults.add({ kind: 'drop', venue: fault.venue, channel: 'answer', count: number('count') })
      return undefined
    },
  },
  'answer-late': {
    about: 'the next answers to subscriptions come after the data',
    target: 'venue',
    perMinute: 1,
    draw: (random) => ({ ms: between(random, 500, 15_000), count: between(random, 1, 3) }),
    strike({ world, fault, number }) {
      const { venue } = fault
      world.faults.add({ kind: 'delay', venue, channel: 'answer', ms: number('ms'), count: number('count') })
      return undefined
    },
  },
  'answer-twice': {
    about: 'an answer comes again, unasked',
    target: 'venue',
    perMinute: 1,
    draw: (random) => ({ count: oneOf(random, [1, 3]) }),
    strike({ world, fault, number }) {
      world.faults.add({ kind: 'duplicate', venue: fault.venue, channel: 'answer', count: number('count') })
      return undefined
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>

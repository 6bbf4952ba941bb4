/** Streams misbehave, each in its own way, on the same connections: each is accounted for, and no other notices. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GapRecord, startWorld, type World } from './consumer.ts'
import type { Valve } from './exchange.ts'
import { lostOf } from './judge.ts'
import type { Kind, Stream } from './market.ts'
import { namesOf, VENUES } from './names.ts'
import { expectGaps, expectHonest, SLACK_US, type Trial, tallyOf } from './trial.ts'
import { until } from './wait.ts'

/** A faster clock takes a busy machine for one that stands still. */
const SPEED = 8
const S = 1_000_000
const NUMBERED: readonly Kind[] = ['trade', 'book']
const KINDS: readonly Kind[] = ['trade', 'ticker', 'quote', 'book']

let world: World
let sinceUs: number
let untilUs: number

const of = (base: string, kinds = KINDS): Stream[] =>
  Object.entries(VENUES).flatMap(([venue, name]) => kinds.map((kind) => world.exchange.stream(venue, kind, name(base))))

/** Turns the valves of a misbehaviour. */
function set(base: string, valve: Partial<Valve>, kinds = KINDS): void {
  for (const stream of of(base, kinds)) Object.assign(world.exchange.valve(stream), valve)
}

const isUnverifiable = ({ channel }: GapRecord): boolean => channel === 'ticker' || channel === 'quote'
/** Across a restart of the numbering nobody can tell that nothing was missed. */
const isReset = ({ cause, channel }: GapRecord): boolean => cause === 'sequence_reset' || channel === 'book'

const thaw = (base: string) => {
  for (const stream of of(base)) world.exchange.thaw(stream)
}

interface Misbehaviour {
  readonly what: string
  /** At the beginning, after 6 s, when all silences are found. */
  readonly start?: () => void
  readonly soon?: () => void
  readonly late?: () => void
  /** Gaps that there must be at least, of four venues; none: no gap at all. */
  readonly gaps: Readonly<Record<string, number>>
  /** Facts are lost for good. */
  readonly loses?: readonly Kind[]
  readonly unknowable?: (gap: GapRecord) => boolean
}

const BY_NUMBER = { 'trade sequence_gap healed': 4, 'book sequence_gap closed': 4 }
/** Of a book, the silence or an audit tells first. */
const SILENT = { 'ticker silence closed': 4, 'quote silence closed': 4 }
const ANEW = { 'trade sequence_reset final': 4, 'book sequence_gap closed': 4 }

const MISBEHAVIOURS: Readonly<Record<string, Misbehaviour>> = {
  CALM: { what: 'nothing', gaps: {} },
  DROP: {
    what: 'one message is lost',
    start: () => set('DROP', { drop: 1 }, NUMBERED),
    gaps: BY_NUMBER,
    loses: ['book'],
  },
  MANY: {
    what: 'seven messages in a row are lost',
    start: () => set('MANY', { drop: 7 }, NUMBERED),
    gaps: BY_NUMBER,
    loses: ['book'],
  },
  LAST: {
    what: 'the last message before a long pause is lost',
    start() {
      for (const stream of of('LAST', NUMBERED)) {
        world.exchange.valve(stream).drop = 1
        world.exchange.publish(stream)
        stream.dueUs = world.nowUs() + 300 * S
      }
    },
    gaps: { 'trade sequence_gap healed': 4 },
    loses: ['book'],
  },
  TWICE: {
    what: 'messages come twice',
    start: () => set('TWICE', { double: 9 }),
    gaps: {},
  },
  AGAIN: {
    what: 'the last thirty messages come again',
    start() {
      for (const stream of of('AGAIN')) world.exchange.resend(stream, 30)
    },
    gaps: {},
  },
  SWAP: {
    what: 'two messages change places',
    start: () => set('SWAP', { swap: 2 }),
    gaps: BY_NUMBER,
    loses: ['book'],
  },
  HOLD: {
    what: 'a stream pauses and then brings everything',
    start: () => set('HOLD', { freeze: 'keep' }),
    soon: () => thaw('HOLD'),
    gaps: {},
  },
  SHORT: {
    what: 'a stream pauses and forgets',
    start: () => set('SHORT', { freeze: 'forget' }, NUMBERED),
    soon: () => thaw('SHORT'),
    gaps: BY_NUMBER,
    loses: ['book'],
  },
  ICE: {
    what: 'a stream is dead for long and forgets',
    start: () => set('ICE', { freeze: 'forget' }),
    late: () => thaw('ICE'),
    // Trades are asked for at the silence and found behind it.
    gaps: SILENT,
    loses: ['ticker', 'quote', 'book'],
  },
  LATE: {
    what: 'a stream is dead for long and then brings everything',
    start: () => set('LATE', { freeze: 'keep' }),
    late: () => thaw('LATE'),
    gaps: SILENT,
    // Subscribed anew, a book has gone on to a newer snapshot.
    loses: ['book'],
    unknowable: isUnverifiable,
  },
  BACK: {
    what: 'numbers go back and on from there',
    start() {
      for (const stream of of('BACK', NUMBERED)) stream.renumber(stream.number - 30)
    },
    gaps: ANEW,
    loses: ['book'],
    unknowable: isReset,
  },
  ONE: {
    what: 'numbers start again at one',
    start() {
      for (const stream of of('ONE', NUMBERED)) stream.renumber(0)
    },
    gaps: ANEW,
    loses: ['book'],
    unknowable: isReset,
  },
  SEAM: {
    what: 'numbers start anew while the stream is dead',
    start() {
      set('SEAM', { freeze: 'forget' }, NUMBERED)
      for (const stream of of('SEAM', NUMBERED)) stream.renumber(100)
    },
    soon: () => thaw('SEAM'),
    gaps: ANEW,
    loses: ['trade', 'book'],
  },
  PAST: {
    what: 'a snapshot of the past comes in the middle of a book',
    start() {
      for (const stream of of('PAST', ['book'])) world.exchange.sendOld(stream, 10)
    },
    gaps: {},
  },
}

let silences: Record<string, number> = {}
/** Of dead streams that no number betrays. */
async function areSilencesFound(): Promise<boolean> {
  const gaps = (await world.consumer.gaps()).filter(({ symbol }) => /^(ICE|LATE)/.test(symbol))
  silences = tallyOf(gaps)
  return silences['ticker silence open'] === 8 && silences['quote silence open'] === 8
}

beforeAll(async () => {
  world = await startWorld(namesOf(Object.keys(MISBEHAVIOURS)), {
    speed: SPEED,
    secondsOf: { trade: 1, book: 1 },
  })
  sinceUs = world.nowUs()
  // So long that each stream's own rate is known.
  await world.pass(25)
  for (const { start } of Object.values(MISBEHAVIOURS)) start?.()
  await world.pass(6)
  for (const { soon } of Object.values(MISBEHAVIOURS)) soon?.()
  await until(() => `the silences: ${JSON.stringify(silences)}`, areSilencesFound, 45_000)
  // Subscribed anew by then: a stream that speaks while it is left loses what it says, and nobody can tell.
  await world.pass(8)
  for (const { late } of Object.values(MISBEHAVIOURS)) late?.()
  await world.pass(20)
  untilUs = world.nowUs()
}, 90_000)
afterAll(() => world.end())

describe.each(Object.entries(MISBEHAVIOURS))('%s', (base, { what, gaps, loses = [], unknowable }) => {
  test(what, { timeout: 60_000 }, async () => {
    const { delivered } = world.consumer
    const trial: Trial = { streams: of(base), delivered, sinceUs, untilUs, slackUs: SLACK_US * SPEED }
    const found = await expectHonest(trial, world.consumer, unknowable)
    expectGaps(found.gaps, gaps)
    if (Object.keys(gaps).length === 0) expect(found.gaps).toEqual([])
    for (const kind of KINDS) {
      const losers = trial.streams.filter((stream) => stream.kind === kind && lostOf(stream, found).length > 0)
      expect([kind, losers.length > 0]).toEqual([kind, loses.includes(kind)])
    }
  })
})

import { describe, expect, test } from 'vitest'
import { Books } from '../../src/book/books.ts'
import type { BookStep } from '../../src/book/step.ts'
import type { BookDelta, BookSnapshot } from '../../src/model/event.ts'
import { partSeed, seededRandom } from '../../src/platform/random.ts'
import { venues } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { Replica } from '../book/replica.ts'
import { TrueStream } from '../book/true-stream.ts'
import { bytes, fixturesOf, NO_INSTRUMENTS } from './fixtures.ts'
import { mutate } from './mutate.ts'
import { TALKERS, type Talker } from './talkers.ts'
import { fault } from './well-formed.ts'

const FRAMES = Number(process.env.FUZZ_FRAMES ?? 5_000)
const SEED = Number(process.env.FUZZ_SEED ?? 1)
/** Frames of one session: a stream and its books, before both start anew. */
const SESSION = 250
const EVERYTHING = Number.POSITIVE_INFINITY
const RECEIVED = 1_700_000_000_000_000

/** One connection to a venue that sends true frames and damaged ones, followed as a collector does. */
class Session {
  liveFrames = 0
  events = 0
  readonly #venue: Venue
  readonly #talker: Talker
  readonly #fixtures: readonly string[]
  readonly #random: () => number
  readonly #truth: TrueStream
  readonly #books: Books
  readonly #replicas = new Map<string, Replica>()
  #frame: Uint8Array = bytes('')

  constructor(venue: Venue, fixtures: readonly string[], seed: number) {
    this.#venue = venue
    this.#talker = TALKERS[venue.id] as Talker
    this.#fixtures = fixtures
    this.#random = seededRandom(seed)
    this.#truth = new TrueStream(this.#talker.kind, this.#random)
    this.#books = new Books(new Map([[venue.id, venue.book]]))
  }

  run(frames: number): void {
    for (let i = 0; i < frames; i++) {
      this.#receive(this.#next())
      if (this.#isLive()) this.liveFrames++
      else if (this.#chance(0.4)) this.#offerSnapshot()
    }
  }

  /** Book messages, true or damaged, and now and then a damaged message of any other kind. */
  #next(): Uint8Array {
    if (this.#chance(0.35))
      return mutate(this.#fixtures[Math.floor(this.#random() * this.#fixtures.length)] as string, this.#random)
    const text = JSON.stringify(this.#talker.delta(this.#truth.next()))
    return this.#chance(0.3) ? mutate(text, this.#random) : bytes(text)
  }

  #offerSnapshot(): void {
    const body = this.#talker.snapshot(this.#truth.snapshot())
    const text = JSON.stringify(body)
    if (this.#venue.book.snapshotFrom === 'stream') {
      this.#receive(this.#chance(0.2) ? mutate(text, this.#random) : bytes(text))
    } else {
      this.#take(this.#venue.rest.snapshot(this.#talker.symbol).parse(body, RECEIVED, NO_INSTRUMENTS))
    }
  }

  #receive(frame: Uint8Array): void {
    this.#frame = frame
    const decoded = this.#venue.decode(frame, RECEIVED, NO_INSTRUMENTS)
    if (decoded.kind === 'malformed') {
      expect(decoded.reason.length, this.#shown()).toBeLessThan(1_000)
      if (decoded.channel !== 'book' || decoded.symbol === undefined) return
      const sync = this.#books.find(this.#venue.id, decoded.symbol)
      if (sync !== undefined) this.#follow(decoded.symbol, sync.invalidate('decode_error'))
      return
    }
    if (decoded.kind !== 'events') return
    for (const event of decoded.events) {
      this.events++
      expect(fault(event), this.#shown()).toBeUndefined()
      if (event.type === 'book_snapshot' || event.type === 'book_delta') this.#take(event, decoded.checksum)
    }
  }

  #take(event: BookSnapshot | BookDelta, checksum?: number): void {
    this.#follow(event.symbol, this.#books.accept(event, checksum))
  }

  /** The emitted events alone must give the very book, chained by sequence. */
  #follow(symbol: string, step: BookStep): void {
    const replica = this.#replicas.get(symbol) ?? new Replica(this.#venue.book.depthMax)
    this.#replicas.set(symbol, replica)
    for (const event of step.emit) {
      expect(fault(event), this.#shown()).toBeUndefined()
      if (event.type === 'book_delta') expect(this.#chains(replica, event), this.#shown()).toBe(true)
      replica.accept(event)
    }
    const sync = this.#books.find(this.#venue.id, symbol)
    expect(replica.isLive, this.#shown()).toBe(sync?.isLive)
    if (sync?.isLive !== true) return
    expect(replica.sequence, this.#shown()).toBe(sync.sequence)
    const { bids, asks } = sync.book
    expect([replica.bids.all(), replica.asks.all()], this.#shown()).toEqual([
      bids.top(EVERYTHING),
      asks.top(EVERYTHING),
    ])
  }

  #chains({ sequence = Number.NaN }: Replica, delta: BookDelta): boolean {
    const { first_sequence: first = Number.NaN, last_sequence: last, previous_sequence: previous } = delta
    const spans = first <= sequence + 1 && (last ?? Number.NaN) >= sequence
    switch (this.#talker.kind) {
      case 'contiguous':
        return spans
      case 'previousChained':
        return previous === sequence || spans
      case 'chained':
        return previous === sequence
    }
  }

  #isLive(): boolean {
    return this.#books.find(this.#venue.id, this.#talker.symbol)?.isLive === true
  }

  #chance(probability: number): boolean {
    return this.#random() < probability
  }

  #shown(): string {
    return new TextDecoder().decode(this.#frame).slice(0, 1_500)
  }
}

test('every venue has a talker', () => {
  expect(Object.keys(TALKERS)).toEqual(venues.map((venue) => venue.id))
})

describe.each(venues.map((venue) => [venue.id, venue] as const))('%s', (id, venue) => {
  test(
    `${FRAMES} frames, many of them damaged: no exception, no odd event, no wrong book`,
    () => {
      const prototype = Object.getOwnPropertyNames(Object.prototype).sort()
      const fixtures = fixturesOf(id).map((fixture) => new TextDecoder().decode(fixture.frame))
      let liveFrames = 0
      let events = 0
      for (let from = 0; from < FRAMES; from += SESSION) {
        const seed = partSeed(SEED, `${id} ${from}`)
        const session = new Session(venue, fixtures, seed)
        session.run(Math.min(SESSION, FRAMES - from))
        liveFrames += session.liveFrames
        events += session.events
      }
      expect('x' in {}).toBe(false)
      expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototype)
      // A fuzzer that only ever sees waiting books, or frames that never decode, proves nothing.
      expect(liveFrames / FRAMES).toBeGreaterThan(0.3)
      expect(events / FRAMES).toBeGreaterThan(0.4)
    },
    FRAMES * 10,
  )
})

import { describe, expect, test } from 'vitest'
import type { BookStep } from '../../src/book/step.ts'
import { BookSync } from '../../src/book/sync.ts'
import type { BookDelta, BookSnapshot } from '../../src/model/event.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { words } from './narrate.ts'
import { Replica } from './replica.ts'
import { type Kind, rulesOf, TrueStream } from './true-stream.ts'

const SEEDS = Number(process.env.BOOK_SEEDS ?? 40)
const MESSAGES = 200
const EVERYTHING = Number.POSITIVE_INFINITY

interface Faults {
  readonly drop: number
  readonly repeat: number
  readonly delay: number
  readonly disconnect: number
  readonly silence: number
}

const NONE: Faults = { drop: 0, repeat: 0, delay: 0, disconnect: 0, silence: 0 }
const MANY: Faults = { drop: 0.02, repeat: 0.05, delay: 0.03, disconnect: 0.005, silence: 0.02 }

/** A book, fed by a true stream through a line with faults; checked after every message. */
class Line {
  readonly sync: BookSync
  readonly truth: TrueStream
  readonly kind: Kind
  readonly faults: Faults
  readonly random: () => number
  readonly replica = new Replica()
  readonly diary: string[] = []
  liveMessages = 0
  losses = 0
  #delayed: { event: BookSnapshot | BookDelta; rounds: number }[] = []

  constructor(kind: Kind, seed: number, faults: Faults) {
    this.random = seededRandom(seed)
    this.kind = kind
    this.faults = faults
    this.sync = new BookSync(rulesOf(kind))
    this.truth = new TrueStream(kind, this.random)
  }

  run(messages: number): void {
    for (let i = 0; i < messages; i++) {
      this.#round(this.truth.next())
      if (this.sync.isLive) this.liveMessages++
      // What waits gets a snapshot after a while: of now, or of some time ago.
      else if (this.#chance(0.3)) this.#deliver(this.truth.snapshot(this.#age()))
      if (this.#chance(0.02) && this.kind !== 'chained') this.#deliver(this.truth.snapshot(this.#age()))
    }
  }

  #age(): number {
    const isNow = this.kind === 'chained' && (this.faults === NONE || this.#chance(0.7))
    return isNow ? 0 : Math.floor(this.random() * 12)
  }

  #round(delta: BookDelta): void {
    const { drop, repeat, delay, disconnect, silence } = this.faults
    if (this.#chance(disconnect)) this.#took(this.sync.invalidate('disconnect'))
    if (this.#chance(silence)) this.#took(this.sync.suspend(1))
    const isDelayed = this.#chance(delay)
    if (isDelayed) this.#delayed.push({ event: delta, rounds: 1 + Math.floor(this.random() * 5) })
    else if (!this.#chance(drop)) {
      this.#deliver(delta)
      // A live book that ignores what is new would be true of the past, for ever.
      const newest = () => this.diary.slice(-25).join('\n')
      if (this.sync.isLive) expect(Number(this.sync.applied?.id), newest()).toBeGreaterThanOrEqual(Number(delta.id))
    }
    if (this.#chance(repeat)) this.#delayed.push({ event: delta, rounds: Math.floor(this.random() * 8) })
    for (const late of this.#delayed.filter(({ rounds }) => rounds === 0)) this.#deliver(late.event)
    this.#delayed = this.#delayed.flatMap(({ event, rounds }) => (rounds === 0 ? [] : [{ event, rounds: rounds - 1 }]))
  }

  #deliver(event: BookSnapshot | BookDelta): void {
    this.diary.push(words(event))
    this.#took(event.type === 'book_snapshot' ? this.sync.onSnapshot(event) : this.sync.onDelta(event))
  }

  #took(step: BookStep): void {
    const wasLive = this.replica.isLive
    for (const output of step.emit) {
      this.diary.push(`  ${words(output)}`)
      this.replica.accept(output)
    }
    if (wasLive && !this.sync.isLive) this.losses++
    const last = () => this.diary.slice(-25).join('\n')
    expect(this.replica.isLive, last()).toBe(this.sync.isLive)
    if (!this.sync.isLive) return
    const { book, applied } = this.sync
    if (applied === undefined) throw new Error('live without anything applied')
    const shown = { bids: book.bids.top(EVERYTHING), asks: book.asks.top(EVERYTHING) }
    expect(shown, last()).toEqual(this.truth.at(applied))
    expect({ bids: this.replica.bids.all(), asks: this.replica.asks.all() }, last()).toEqual(shown)
    expect(this.replica.sequence, last()).toBe(this.sync.sequence)
  }

  #chance(probability: number): boolean {
    return this.random() < probability
  }
}

describe.each(['contiguous', 'previousChained', 'chained'] as const)('a %s stream', (kind) => {
  test('without faults goes live and stays live', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const line = new Line(kind, seed, NONE)
      line.run(MESSAGES)
      expect(line.losses, `seed ${seed}`).toBe(0)
      expect(line.liveMessages, `seed ${seed}`).toBeGreaterThan(MESSAGES / 2)
    }
  })

  test('with losses, repetitions, delays and disconnects: live means true, and so does what was emitted', () => {
    let live = 0
    let losses = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const line = new Line(kind, seed, MANY)
      line.run(MESSAGES)
      live += line.liveMessages
      losses += line.losses
    }
    expect(live / (SEEDS * MESSAGES)).toBeGreaterThan(0.4)
    expect(losses).toBeGreaterThan(SEEDS)
  })
})

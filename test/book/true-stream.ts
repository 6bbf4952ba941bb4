import type { BookRules } from '../../src/book/rules.ts'
import { chained, contiguous, previousChained, type SequenceRule } from '../../src/book/sequence.ts'
import type { BookDelta, BookSnapshot, Level } from '../../src/model/event.ts'
import type { Random } from '../../src/platform/platform.ts'
import { delta, snapshot } from './builders.ts'
import { ReplicaSide } from './replica.ts'

export type Kind = 'contiguous' | 'previousChained' | 'chained'

const RULES: Readonly<Record<Kind, SequenceRule>> = { contiguous, previousChained, chained }
/** Numberings after so many resets share ids again; by then no old message is left. */
const NUMBERINGS = 8

export const rulesOf = (kind: Kind): BookRules => ({
  rule: RULES[kind],
  snapshotFrom: kind === 'chained' ? 'stream' : 'rest',
})

export interface Top {
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

interface Moment {
  readonly sequence: number
  readonly top: Top
  readonly timeUs: number
}

/** A venue's true book, the deltas that describe how it changes, and snapshots of any moment. */
export class TrueStream {
  readonly #kind: Kind
  readonly #random: Random
  readonly #bids = new ReplicaSide('bids')
  readonly #asks = new ReplicaSide('asks')
  readonly #history: Moment[] = []
  #sequence = 1_000
  #resets = 0
  #timeUs = 1_700_000_000_000_000

  constructor(kind: Kind, random: Random) {
    this.#kind = kind
    this.#random = random
    for (let i = 0; i < 10; i++) this.#change()
    this.#remember()
  }

  /** The book behind an event, which names its moment in its id. */
  at(event: BookSnapshot | BookDelta): Top {
    return this.#history[Number(event.id)]?.top as Top
  }

  /** The book as it was `age` changes ago. */
  snapshot(age = 0): BookSnapshot {
    const moment = Math.max(0, this.#history.length - 1 - age)
    const { sequence, top, timeUs } = this.#history[moment] as Moment
    return snapshot(sequence, '', '', { ...top, id: String(moment), exchange_time_us: timeUs })
  }

  /** Some changes in one message; on chained streams sometimes a heartbeat or a reset of the numbering. */
  next(): BookDelta {
    const previous = this.#sequence
    if (this.#kind === 'chained' && this.#chance(0.1)) {
      this.#timeUs += 60_000_000
      return this.#delta({ previous, last: previous }, [], [])
    }
    const bids = new Map<string, Level>()
    const asks = new Map<string, Level>()
    let first: number | undefined
    const changes = 1 + this.#below(4)
    for (let i = 0; i < changes; i++) {
      this.#step(i === 0)
      first ??= this.#sequence
      const [side, level] = this.#change()
      const rows = side === 'bids' ? bids : asks
      rows.set(level[0], level)
      this.#remember()
    }
    const last = this.#sequence
    const sequences = this.#kind === 'contiguous' ? { first, last } : { first, last, previous }
    return this.#delta(sequences as { first: number; last: number }, [...bids.values()], [...asks.values()])
  }

  #delta(sequences: Parameters<typeof delta>[0], bids: readonly Level[], asks: readonly Level[]): BookDelta {
    const id = String(this.#history.length - 1)
    return delta(sequences, '', '', { bids, asks, id, exchange_time_us: this.#timeUs })
  }

  /** The next id: one more; one of many that all symbols share; or one in a numbering that may start anew. */
  #step(mayReset: boolean): void {
    this.#timeUs += 100_000
    if (this.#kind === 'contiguous') this.#sequence += 1
    else if (this.#kind === 'previousChained') this.#sequence += 1 + this.#below(20)
    else {
      const isReset = mayReset && this.#chance(0.08)
      if (isReset) this.#resets++
      const turn = isReset ? this.#below(20) : Math.floor(this.#sequence / NUMBERINGS) + 1 + this.#below(5)
      this.#sequence = turn * NUMBERINGS + (this.#resets % NUMBERINGS)
    }
  }

  #change(): [side: 'bids' | 'asks', level: Level] {
    const side = this.#chance(0.5) ? 'bids' : 'asks'
    const price = side === 'bids' ? 1 + this.#below(30) : 41 + this.#below(30)
    const level: Level = [String(price), this.#chance(0.3) ? '0' : String(1 + this.#below(1_000_000))]
    if (side === 'bids') this.#bids.set(level)
    else this.#asks.set(level)
    return [side, level]
  }

  #remember(): void {
    const top = { bids: this.#bids.all(), asks: this.#asks.all() }
    this.#history.push({ sequence: this.#sequence, top, timeUs: this.#timeUs })
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #chance(probability: number): boolean {
    return this.#random() < probability
  }
}

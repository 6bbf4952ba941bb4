/** Fetches the trades that gaps lack, page by page, one gap of a feed after the other, and says how each gap ended. */

import { countOf } from '../ledger/tally.ts'
import type { Gap, Trade } from '../model/event.ts'
import { Backoff } from '../platform/backoff.ts'
import type { Platform } from '../platform/platform.ts'
import type { Span, Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'
import { type RestClient, RestError } from './rest-client.ts'

/** A longer gap is not fetched: the oldest numbers are left missing. */
const IDS_MAX = 500_000
/** REST may lag behind: what an answer lacks is asked for again so often before it counts as gone. */
const PASSES_MAX = 4
/** And for so long at least, however short the waits between were drawn. */
const LAG_MS_MAX = 30_000
const PASS_WAIT = { firstMs: 4_000, maxMs: 60_000 }
/** A venue that cannot be asked for so long ends the healing. */
const DEADLINE_MS = 3_600_000

export interface HealerOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  /** Takes the trades of one answer; those that came meanwhile are known there. */
  readonly deliver: (feed: Feed, trades: readonly Trade[]) => void
}

interface Patient {
  readonly gap: Gap
  readonly sinceMs: number
  readonly backoff: Backoff
  /** Answers that lacked something. */
  passes: number
}

export class Healer {
  readonly #options: HealerOptions
  /** Each feed's gaps, the one that is being healed first. */
  readonly #patients = new Map<Feed, Patient[]>()
  readonly #busy = new Set<Feed>()
  readonly #cancels = new Set<() => void>()
  #isStopped = false

  constructor(options: HealerOptions) {
    this.#options = options
  }

  heal(feed: Feed, gap: Gap): void {
    const { clock, random } = this.#options.platform
    const patients = this.#patients.get(feed) ?? []
    this.#patients.set(feed, patients)
    const backoff = new Backoff({ ...PASS_WAIT, random })
    patients.push({ gap, sinceMs: clock.monotonicMs(), backoff, passes: 0 })
    if (!this.#busy.has(feed)) void this.#work(feed, patients)
  }

  /** A number that was missing has come by the stream: a gap may be whole now. */
  delivered(feed: Feed): void {
    for (const { gap } of [...(this.#patients.get(feed) ?? [])])
      if (feed.tally.within(spanOf(gap)).length === 0) this.#end(feed, gap, '')
  }

  /** Nothing more can be fetched for the feed. */
  giveUp(feed: Feed, reason: string): void {
    for (const { gap } of [...(this.#patients.get(feed) ?? [])]) this.#end(feed, gap, reason)
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#cancels) cancel()
  }

  /** One gap after the other until none is left. Never rejects. */
  async #work(feed: Feed, patients: readonly Patient[]): Promise<void> {
    this.#busy.add(feed)
    await this.#wait(0)
    for (let patient = patients[0]; patient !== undefined && !this.#isStopped; patient = patients[0]) {
      const problem = await this.#pass(feed, patient)
      if (problem === undefined) patient.passes++
      if (patients[0] !== patient || this.#isStopped) continue
      if (this.#isOver(feed, patient))
        this.#end(feed, patient.gap, problem ?? 'the venue does not have them (any more)')
      else await this.#wait(500 + patient.backoff.nextMs())
    }
    this.#busy.delete(feed)
    if (patients.length === 0) this.#patients.delete(feed)
  }

  #isOver(feed: Feed, { gap, sinceMs, passes }: Patient): boolean {
    const agoMs = this.#options.platform.clock.monotonicMs() - sinceMs
    const isGone = (passes >= PASSES_MAX && agoMs > LAG_MS_MAX) || agoMs > DEADLINE_MS
    return feed.tally.within(spanOf(gap)).length === 0 || isGone
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.platform.clock.after(delayMs, () => {
        this.#cancels.delete(cancel)
        resolve()
      })
      this.#cancels.add(cancel)
    })
  }

  /** Asks once for everything that is missing. Resolves with what went wrong, in words. */
  async #pass(feed: Feed, { gap }: Patient): Promise<string | undefined> {
    const { rest, venue, deliver } = this.#options
    const { tally } = feed
    const whole = spanOf(gap)
    const reachable = { first: Math.max(whole.first, whole.last - IDS_MAX + 1), last: whole.last }
    try {
      for (let from = reachable.first; from <= reachable.last; ) {
        const [wanted] = tally.within({ first: from, last: reachable.last })
        if (wanted === undefined) break
        const { request, span } = venue.rest.trades(feed.topic, wanted)
        const trades = await rest.get(request)
        // The numbers of another tally are others, though they look the same.
        if (this.#isStopped || feed.tally !== tally) break
        deliver(feed, trades)
        from = span.last + 1
      }
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      return error.message
    }
    return undefined
  }

  #end(feed: Feed, gap: Gap, reason: string): void {
    const patients = this.#patients.get(feed) ?? []
    const at = patients.findIndex((patient) => patient.gap === gap)
    if (at < 0) return
    patients.splice(at, 1)
    const span = spanOf(gap)
    const left = countOf(feed.tally.within(span))
    feed.tally.drop(span)
    const healed = (gap.lost ?? 0) - left
    const outcome = left === 0 ? ({ state: 'healed', healed } as const) : ({ state: 'final', healed, reason } as const)
    feed.ledger.resolve(gap.gap_id, outcome)
  }
}

/** The numbers that `gap` lacks. */
const spanOf = ({ last_sequence: last, first_sequence: first }: Gap): Span => ({
  first: (last ?? 0) + 1,
  last: (first ?? 0) - 1,
})

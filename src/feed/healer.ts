/** Fetches the trades that gaps lack, page by page, all gaps of a feed together, and says how each gap ended. */

import { isOfProcess, type Outcome } from '../ledger/records.ts'
import { countOf, type NumberedAt, type NumberSpan, SPANS_MAX } from '../ledger/tally.ts'
import type { EpochUs, Gap, Trade } from '../model/event.ts'
import { Backoff } from '../platform/backoff.ts'
import type { Platform } from '../platform/platform.ts'
import type { TradePage, Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'
import { type RestClient, RestError } from './rest-client.ts'
import { REST_LAG_MS_MAX } from './rest-lag.ts'
import { isUsedAgain } from './trade-numbers.ts'

/** A longer gap is not fetched: the oldest numbers are left missing. */
const IDS_MAX = 500_000
/**
 * REST may lag behind: what an answer lacks is asked for again so often before it counts as gone, and for as long as REST
 * may lag, however short the waits between were drawn.
 */
const PASSES_MAX = 4
const PASS_WAIT = { firstMs: 4_000, maxMs: 60_000 }
/** Gaps that wait are asked for together, so often at most: one answer has room for the trades of many. */
const ROUND_MS = 4_000
/** New gaps of a feed are asked for at once, but so often at most. */
const NEW_ROUND_MS = 1_000
/** A venue that cannot be asked, or lags, for so long ends the healing. */
const DEADLINE_MS = 3_600_000

export interface HealerOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  /** Takes the trades of one answer that are missing. */
  readonly deliver: (feed: Feed, trades: readonly Trade[]) => void
}

interface Patient {
  readonly gap: Gap
  /** Nothing can be missing from before. */
  readonly sinceUs: EpochUs
  /** What was delivered before it, of those that this process knows of. */
  readonly before: NumberedAt | undefined
  /** When the venue made the first of the missing trades, once that is there. */
  firstUs: EpochUs | undefined
  readonly sinceMs: number
  readonly backoff: Backoff
  /** Answers that lacked something. */
  passes: number
  /** More may be missing than its numbers say. */
  isMore: boolean
  dueMs: number
}

/** The gaps of one feed that are being healed. */
interface Ward {
  /** In the order in which they were found. */
  readonly patients: Patient[]
  isBusy: boolean
  /** Ends a wait. */
  wake: () => void
  askedMs: number
}

export class Healer {
  readonly #options: HealerOptions
  readonly #wards = new WeakMap<Feed, Ward>()
  readonly #cancels = new Set<() => void>()
  #isStopped = false

  constructor(options: HealerOptions) {
    this.#options = options
  }

  heal(feed: Feed, gap: Gap, sinceUs = gap.start_time_us): void {
    const { clock, random } = this.#options.platform
    const ward = this.#wards.get(feed) ?? { patients: [], isBusy: false, wake() {}, askedMs: Number.NEGATIVE_INFINITY }
    this.#wards.set(feed, ward)
    const nowMs = clock.monotonicMs()
    const dueMs = Math.max(nowMs, ward.askedMs + NEW_ROUND_MS)
    const backoff = new Backoff({ ...PASS_WAIT, random })
    const before = feed.tally.delivered(spanOf(gap).first - 1)
    ward.patients.push({
      gap,
      sinceUs,
      before,
      firstUs: undefined,
      sinceMs: nowMs,
      backoff,
      passes: 0,
      isMore: gap.lost === undefined,
      dueMs,
    })
    this.#keepFew(feed, ward)
    ward.wake()
    if (!ward.isBusy) void this.#work(feed, ward)
  }

  /** Numbers that were missing have come: a gap may be whole now. */
  delivered(feed: Feed, span: NumberSpan, madeUs: EpochUs | undefined): void {
    const ward = this.#wards.get(feed)
    if (ward === undefined) return
    for (const patient of [...ward.patients]) {
      const { gap } = patient
      const { first, last } = spanOf(gap)
      if (first > span.last || last < span.first) continue
      if (first >= span.first) patient.firstUs = madeUs
      if (feed.tally.within({ first, last }).length === 0) this.#end(feed, gap, '')
    }
    this.#keepFew(feed, ward)
  }

  /** Nothing more can be fetched for the feed. */
  giveUp(feed: Feed, reason: string): void {
    for (const { gap } of [...(this.#wards.get(feed)?.patients ?? [])]) this.#end(feed, gap, reason)
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#cancels) cancel()
  }

  /** What is missing must fit into the journal: the next process could not tell what was fetched of the rest. */
  #keepFew(feed: Feed, { patients }: Ward): void {
    for (let oldest = patients[0]; oldest && feed.tally.missing.length > SPANS_MAX; oldest = patients[0])
      this.#end(feed, oldest.gap, `more than ${SPANS_MAX} runs of trades are missing; the oldest are given up`)
  }

  /** Until no gap is left. Never rejects. */
  async #work(feed: Feed, ward: Ward): Promise<void> {
    const { clock } = this.#options.platform
    ward.isBusy = true
    await this.#wait(ward, 0)
    while (ward.patients.length > 0 && !this.#isStopped) {
      const nowMs = clock.monotonicMs()
      const due = ward.patients.filter(({ dueMs }) => dueMs <= nowMs)
      if (due.length === 0) {
        await this.#wait(ward, Math.min(...ward.patients.map(({ dueMs }) => dueMs)) - nowMs)
        continue
      }
      ward.askedMs = nowMs
      const problem = await this.#pass(feed, due)
      if (this.#isStopped) return
      for (const patient of due) if (ward.patients.includes(patient)) await this.#looked(feed, patient, problem)
    }
    ward.isBusy = false
  }

  /** `problem`: why the venue gave no answer. */
  async #looked(feed: Feed, patient: Patient, problem: string | undefined): Promise<void> {
    if (problem === undefined) patient.passes++
    const agoMs = this.#options.platform.clock.monotonicMs() - patient.sinceMs
    const isLacking = problem === undefined && patient.passes >= PASSES_MAX && agoMs > REST_LAG_MS_MAX
    if (this.#isWhole(feed, patient) || agoMs > DEADLINE_MS || (isLacking && (await this.#hasPassed(feed, patient)))) {
      this.#end(feed, patient.gap, problem ?? 'the venue does not have them (any more)')
      return
    }
    const againMs = this.#options.platform.clock.monotonicMs() + 500 + patient.backoff.nextMs()
    patient.dueMs = Math.ceil(againMs / ROUND_MS) * ROUND_MS
  }

  #isWhole(feed: Feed, { gap }: Patient): boolean {
    return feed.tally.within(spanOf(gap)).length === 0
  }

  /** What REST lacks it does not have: it has come to newer numbers. Otherwise it lags, or cannot be asked now. Never rejects. */
  async #hasPassed(feed: Feed, { gap }: Patient): Promise<boolean> {
    const { rest, venue } = this.#options
    const newest = await rest.get(venue.rest.newestTrade(feed.topic)).catch((error: unknown) => {
      if (!(error instanceof RestError)) throw error
      return Number.NEGATIVE_INFINITY
    })
    return newest === undefined || newest >= spanOf(gap).last
  }

  #wait(ward: Ward, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.platform.clock.after(delayMs, () => ward.wake())
      this.#cancels.add(cancel)
      ward.wake = () => {
        cancel()
        this.#cancels.delete(cancel)
        resolve()
      }
    })
  }

  /** Asks once for everything that is missing. Resolves with what went wrong, in words. */
  async #pass(feed: Feed, due: readonly Patient[]): Promise<string | undefined> {
    const { rest, venue, deliver } = this.#options
    const { tally } = feed
    try {
      for (let from = 0; ; ) {
        const page = this.#page(feed, due, from)
        if (page === undefined) break
        const trades = await rest.get(page.request)
        // The numbers of another tally are others, though they look the same.
        if (this.#isStopped || feed.tally !== tally) break
        this.#compare(feed, due, trades)
        const missing = tally.within(page.span)
        deliver(
          feed,
          trades.filter((trade) => isIn(missing, venue.tradeSpan(trade))),
        )
        from = page.span.last + 1
      }
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      return error.message
    }
    return undefined
  }

  /** The venue may count anew and have come past where a gap begins. */
  #compare(feed: Feed, due: readonly Patient[], trades: readonly Trade[]): void {
    const { venue } = this.#options
    for (const patient of due) {
      const { before } = patient
      if (before === undefined || !trades.some((trade) => isUsedAgain(before, trade, venue.tradeSpan(trade)))) continue
      patient.isMore = true
      const { number } = before
      const reason = `the venue's numbers began anew and came past ${number}: what was numbered below is missing too`
      feed.ledger.unbound(patient.gap.gap_id, reason)
    }
  }

  /** From the first number behind `from` that is lacking as far as there is room; it ends with a number that is missing. */
  #page({ tally, topic }: Feed, due: readonly Patient[], from: number): TradePage | undefined {
    const { rest } = this.#options.venue
    const lacking = due.flatMap(({ gap }) => {
      const { first, last } = spanOf(gap)
      return tally.within({ first: Math.max(first, from, last - IDS_MAX + 1), last })
    })
    if (lacking.length === 0) return undefined
    const missing = Math.min(...lacking.map((span) => span.first))
    // With the one before, which tells whether the venue still counts as it did.
    const first = due.some(({ before }) => before?.number === missing - 1) ? missing - 1 : missing
    const whole = rest.trades(topic, { first, last: Math.max(...lacking.map((span) => span.last)) })
    const last = tally.within(whole.span).at(-1)?.last ?? whole.span.last
    return last === whole.span.last ? whole : rest.trades(topic, { first, last })
  }

  #end(feed: Feed, gap: Gap, reason: string): void {
    const patients = this.#wards.get(feed)?.patients ?? []
    const at = patients.findIndex((patient) => patient.gap === gap)
    if (at < 0) return
    const [{ sinceUs, firstUs = sinceUs, isMore }] = patients.splice(at, 1) as [Patient]
    if (patients.length === 0) this.#wards.get(feed)?.wake()
    const span = spanOf(gap)
    const left = countOf(feed.tally.within(span))
    feed.tally.drop(span)
    const healed = (gap.lost ?? countOf([span])) - left
    const isWhole = left === 0 && !isMore
    const outcome: Outcome = { state: isWhole ? 'healed' : 'final', healed, ...(!isWhole && !isMore && { reason }) }
    // That the process was well until it ended does not say that the stream was: the first missing trade does.
    const startUs = isOfProcess(gap) ? Math.max(sinceUs, firstUs) : gap.start_time_us
    feed.ledger.resolve(gap.gap_id, { ...outcome, start_time_us: Math.min(gap.start_time_us, startUs) })
  }
}

/** The numbers that `gap` lacks. */
const spanOf = ({ last_sequence: last, first_sequence: first }: Gap): NumberSpan => ({
  first: (last ?? 0) + 1,
  last: (first ?? 0) - 1,
})

const isIn = (spans: readonly NumberSpan[], of: NumberSpan | undefined): boolean =>
  of !== undefined && spans.some(({ first, last }) => first <= of.last && of.first <= last)

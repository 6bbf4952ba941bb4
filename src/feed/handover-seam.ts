/** The seam of one feed: what the first link delivers and what the second holds, until they join. */

import type { EpochUs, MarketEvent } from '../model/event.ts'
import type { Feed } from './feed.ts'
import type { Front, Held } from './handover-front.ts'

/** Both links carry the feed for so long before silence on the second means that there was nothing to say. */
export const OVERLAP_MS = 2_000
/** What the first link delivers so much later than the newest of the second should have come on the second too. */
const GRACE_MS = 1_000
/** No message of the first link is taken to be older: a venue's time may be wrong. */
const LATE_MS_MAX = 10_000

/** How far the first link is behind. One for all feeds. */
export interface Lag {
  /** At most, by messages that came on both links. */
  ms: number
  /** By the venue's time, as the newest message of the first link has it. */
  newestMs: number
}

interface Kept extends Held {
  /** When it came, monotonic. */
  readonly atMs: number
}

export class Seam {
  readonly feed: Feed
  readonly #front: Front
  readonly #heldMax: number
  readonly #lag: Lag
  #held: Kept[] = []
  /** The newest event that there was no room for, unless the first link has come as far. */
  #spilt: MarketEvent | undefined
  #ackedMs: number | undefined
  #heardMs: number | undefined
  #newestMs: number | undefined
  #deliveredMs = Number.NEGATIVE_INFINITY
  /** How late that message was, by the venue's time. */
  #lateMs = 0
  /** Something of the second link was delivered by the first too: it reaches back far enough. */
  #isReached = false
  /** Receive time of the newest message of the second link that tells what the first had delivered: so far nothing is missing. */
  #wholeUs: EpochUs | undefined

  constructor(feed: Feed, front: Front, heldMax: number, lag: Lag) {
    this.feed = feed
    this.#front = front
    this.#heldMax = heldMax
    this.#lag = lag
  }

  /** The first link delivered it. */
  delivered(event: MarketEvent, receiveTimeUs: EpochUs, nowMs: number): void {
    this.#front.delivered(event, receiveTimeUs)
    this.#deliveredMs = nowMs
    const lateMs = this.feed.lag.latenessMs(event.exchange_time_us, receiveTimeUs)
    this.#lateMs = Math.min(LATE_MS_MAX, lateMs ?? 0)
    if (lateMs !== undefined) this.#lag.newestMs = this.#lateMs
  }

  /** The second link brought it. */
  hold(held: Held, nowMs: number): void {
    this.#heardMs ??= nowMs
    this.#newestMs = nowMs
    this.#held.push({ ...held, atMs: nowMs })
    if (this.#held.length > this.#heldMax) this.#spilt = this.#held.shift()?.event
  }

  /** The venue confirmed it on the second link. */
  acked(nowMs: number): void {
    this.#ackedMs ??= nowMs
  }

  /** Since when the second link carries the feed: its ack or its first data; of a stream that begins with a snapshot, that. */
  get confirmedMs(): number | undefined {
    const { channel, venue } = this.feed
    const needsData = channel === 'book' && venue.book.snapshotFrom === 'stream' && this.#front.isKnown
    if (needsData || this.#ackedMs === undefined) return this.#heardMs
    return Math.min(this.#ackedMs, this.#heardMs ?? this.#ackedMs)
  }

  /** The oldest event of the second link that the first has not delivered. */
  get next(): MarketEvent | undefined {
    const walk = this.#front.walk()
    return this.#held.find((held) => walk(held) !== 'past')?.event
  }

  /** The second link can take over now, and nothing is missing. */
  joins(nowMs: number): boolean {
    const { confirmedMs } = this
    if (confirmedMs === undefined) return false
    // What is interrupted on the first link has nothing to join; what lies between is a gap already.
    if (this.feed.ledger.outage !== undefined) return true
    this.#prune()
    if (this.feed.channel === 'book' && !this.#front.isKnown) return true
    if (this.#spilt !== undefined) return false
    const lateMs = Math.max(this.#lateMs, this.#lag.ms)
    const isDeaf = this.#deliveredMs > (this.#newestMs ?? confirmedMs) + GRACE_MS + lateMs
    // Until then the first link may still bring what was said before.
    const isSettled = nowMs - confirmedMs >= OVERLAP_MS + Math.max(this.#lag.ms, this.#lag.newestMs)
    if (this.#held.length === 0) return !isDeaf && (this.#isReached || isSettled)
    const walk = this.#front.walk()
    const isWhole = this.#held.every((held) => walk(held) !== 'beyond')
    return isWhole && (this.#isReached || this.#front.isKnown || (isSettled && !isDeaf))
  }

  /** What is to be delivered behind the last event of the first link. */
  take(): readonly Held[] {
    this.#prune()
    this.#tellWhole()
    const walk = this.#front.walk()
    return this.#held.splice(0).filter((held) => walk(held) !== 'past')
  }

  #tellWhole(): void {
    const { feed } = this
    if (this.#wholeUs === undefined || this.#wholeUs <= (feed.lastMessageUs ?? 0)) return
    feed.lastMessageUs = this.#wholeUs
    feed.ledger.heard(undefined, this.#wholeUs)
  }

  /**
   * After the switch: an event of the second link that the first had delivered. Where the two did not join, the very last
   * one is none: it tells that nothing is missing between them.
   */
  isRepeated(event: MarketEvent): boolean {
    const joins = this.feed.ledger.outage !== undefined && this.#front.isLast(event)
    return !joins && this.#front.isRepeated(event)
  }

  /** Forgets what the first link has delivered meanwhile. */
  #prune(): void {
    let count = this.#held.findLastIndex(({ event }) => this.#front.isEnd(event)) + 1
    const walk = this.#front.walk()
    if (this.#front.isKnown) while (count < this.#held.length && walk(this.#held[count] as Kept) === 'past') count++
    if (count > 0 || (this.#spilt !== undefined && this.#front.isEnd(this.#spilt))) this.#spilt = undefined
    if (count === 0) return
    const known = this.#held.splice(0, count)
    this.#wholeUs = known.at(-1)?.receiveTimeUs
    // However late the first link is, the second has what it delivered last.
    const last = known.findLast(({ event }) => this.#front.isLast(event))
    if (last !== undefined) {
      this.#lag.ms = Math.max(this.#lag.ms, this.#deliveredMs - last.atMs)
      this.#deliveredMs = Number.NEGATIVE_INFINITY
    }
    this.#isReached = true
  }
}

/** All can take over now. Each is asked first: what one shows of the first link's lag holds for all. */
export function haveJoined(seams: readonly Seam[], nowMs: number): boolean {
  for (const seam of seams) seam.joins(nowMs)
  return seams.every((seam) => seam.joins(nowMs))
}

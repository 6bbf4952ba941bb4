import type { FeedLedger } from '../ledger/feed-ledger.ts'
import type { Tally } from '../ledger/tally.ts'
import type { Channel, EpochUs, MarketEvent, Quote } from '../model/event.ts'
import type { FeedState } from '../model/feed.ts'
import type { Clock } from '../platform/platform.ts'
import type { Topic, Venue } from '../venues/venue.ts'
import { NumberingEpoch } from './epoch.ts'
import type { Received } from './event-order.ts'
import { Lag } from './lag.ts'
import { RecentIds } from './recent-ids.ts'
import { RestLag } from './rest-lag.ts'
import { Silence, type SilenceLimits } from './silence.ts'

/** A venue repeats at most its newest events, after a subscription. */
const RECENT_MAX = 500

/** So many messages in a row that the venue should have sent are not lost by chance. */
const MISSED_MAX = 10

/** What a stream should have brought, as the venue told when it was asked. */
export interface Behind {
  readonly foundUs: EpochUs
  /** The newest number that the venue knew of. */
  readonly sequence?: number
  /** When the venue made that trade, once it is fetched. */
  readonly madeUs?: EpochUs | undefined
}

/** A link that carries the stream too and delivers nothing of it yet. */
export interface SecondLink {
  /** The oldest event that it holds and the first link has not delivered. */
  readonly next: MarketEvent | undefined
}

/** One channel of one symbol of one venue: what is known of it. */
export class Feed {
  readonly venue: Venue
  readonly topic: Topic
  readonly silence: Silence
  readonly lag = new Lag()
  readonly restLag = new RestLag()
  /** Of books and quotes. */
  readonly numbering: NumberingEpoch
  /** The windows in which data of it may be missing. */
  readonly ledger: FeedLedger
  /** Tickers, quotes, and trades without running numbers that were delivered already. */
  readonly recent = new RecentIds(RECENT_MAX)
  readonly #clock: Clock
  #state: FeedState = 'connecting'
  #reason = 'not connected yet'
  #sinceUs: EpochUs
  #isRejected = false
  /** When the market was first found to move without it, since its newest event. */
  #moved: { readonly events: number; readonly atMs: number } | undefined
  lastMessageUs: EpochUs | undefined
  /** The same moment by the clock that only grows: the other one stands still after it was set back. */
  lastMessageMs: number | undefined
  newestQuote: Quote | undefined
  /** When the venue made the last trade that the stream has brought. */
  madeUs: EpochUs | undefined
  /** Tickers and quotes: the last that was delivered. */
  newest: Received | undefined
  /** The venue was found to know more of it than the stream has brought; the last time that it was. */
  behind: Behind | undefined
  /** While its connection is being replaced. */
  second: SecondLink | undefined
  events = 0
  resyncs = 0
  /** Since its stream was last asked for, the venue has confirmed it or it has brought something. */
  isConfirmed = false
  /** The book behind this feed was live and is being built anew. */
  isResyncing = false

  constructor(venue: Venue, topic: Topic, ledger: FeedLedger, clock: Clock) {
    this.venue = venue
    this.topic = topic
    this.ledger = ledger
    this.numbering = new NumberingEpoch(ledger)
    this.silence = new Silence(silenceLimits(venue, topic.channel))
    this.#clock = clock
    this.#sinceUs = clock.nowUs()
  }

  /** Running numbers of the trades that were delivered. */
  get tally(): Tally {
    return this.ledger.tally
  }

  get channel(): Channel {
    return this.topic.channel
  }

  get symbol(): string {
    return this.topic.symbol
  }

  get state(): FeedState {
    return this.#state
  }

  get reason(): string {
    return this.#reason
  }

  get sinceUs(): EpochUs {
    return this.#sinceUs
  }

  /** It will never have data as things are: not subscribed, and not waited for. */
  get isGivenUp(): boolean {
    return this.#isRejected || this.#state === 'delisted' || this.#state === 'disabled'
  }

  /** The venue refused it for good, or does not know the symbol. */
  reject(reason: string): void {
    this.#isRejected = true
    this.set('down', reason)
  }

  /** The venue lists the symbol, again or at last: what it refused before, it may take now. */
  revive(): void {
    this.#isRejected = false
    this.set('connecting', 'listed by the venue')
  }

  /** The market has moved while it was silent. True: only just now, and it may be about to tell of that. */
  mayFollow(): boolean {
    const { intervalMs } = this.venue.channels[this.channel] ?? {}
    if (intervalMs === undefined) return false
    const nowMs = this.#clock.monotonicMs()
    if (this.#moved?.events !== this.events) this.#moved = { events: this.events, atMs: nowMs }
    return nowMs - this.#moved.atMs <= intervalMs
  }

  /** It is silent, and the venue has nothing new either. */
  quiet(): void {
    this.#moved = undefined
    this.silence.restart(this.#clock.monotonicMs())
    this.set('live')
  }

  set(state: FeedState, reason = ''): void {
    if (state !== this.#state) this.#sinceUs = this.#clock.nowUs()
    this.#state = state
    this.#reason = reason
  }
}

/** An interval that the venue documents need not be learned, and leaves less to chance. */
function silenceLimits(venue: Venue, channel: Channel): SilenceLimits {
  const spec = venue.channels[channel]
  if (spec === undefined) throw new Error(`${venue.id} has no channel ${channel}: its feed must not be made`)
  const { silenceMs, intervalMs } = spec
  if (intervalMs === undefined) return silenceMs
  return { ...silenceMs, first: Math.max(silenceMs.min, MISSED_MAX * intervalMs), gaps: MISSED_MAX }
}

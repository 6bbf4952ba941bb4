/** A venue may count anew, after maintenance for example. The epoch in an id keeps a number that is used again from making an old id. */

import type { FeedLedger } from '../ledger/feed-ledger.ts'
import type { EpochUs, MarketEvent } from '../model/event.ts'

/** Messages are late, and REST nodes lag behind, by less. */
const LATE_US = 30_000_000

type Numbered = Pick<MarketEvent, 'exchange_time_us'>

/** Watches the numbers of one stream, of books and quotes; the ledger keeps the epoch. */
export class NumberingEpoch {
  readonly #ledger: FeedLedger
  /** The greatest number of this epoch, and when the venue sent it, if it says so. */
  #greatest: { readonly sequence: number; readonly timeUs: EpochUs | undefined } | undefined
  /** Where the stream stood lately, and where at least {@link LATE_US} before that. */
  #lately: { readonly sequence: number; readonly atUs: EpochUs } | undefined
  #before: number | undefined

  constructor(ledger: FeedLedger) {
    this.#ledger = ledger
  }

  /** The event with this number leaves next. */
  heard(sequence: number, { exchange_time_us: timeUs }: Numbered, receiveUs: EpochUs): void {
    if (this.#greatest === undefined) this.#takeUp()
    if (this.#isAnew(sequence, timeUs)) {
      this.#ledger.renumber(timeUs ?? receiveUs)
      this.#greatest = undefined
      this.#lately = undefined
      this.#before = undefined
    }
    if (this.#greatest === undefined || sequence > this.#greatest.sequence) this.#greatest = { sequence, timeUs }
    if (this.#lately !== undefined && receiveUs - this.#lately.atUs < LATE_US) return
    this.#before = this.#lately?.sequence ?? this.#before
    this.#lately = { sequence, atUs: receiveUs }
  }

  /** Where an earlier process stood; when the venue sent that is not known any more. */
  #takeUp(): void {
    const { lastSequence } = this.#ledger
    if (lastSequence === undefined) return
    this.#greatest = { sequence: lastSequence, timeUs: undefined }
    this.#before = lastSequence
  }

  /** A smaller number at a later time; where times are lacking, a number that was passed long ago. */
  #isAnew(sequence: number, timeUs: EpochUs | undefined): boolean {
    const greatest = this.#greatest
    if (greatest === undefined || sequence >= greatest.sequence) return false
    if (timeUs !== undefined && greatest.timeUs !== undefined) return timeUs > greatest.timeUs
    return this.#before !== undefined && sequence < this.#before
  }
}

const headOf = ({ venue, type, symbol }: MarketEvent): string => `${venue}:${type}:${symbol}:`

/** The id rests on a running number alone; others have the venue's time in the place of the epoch. */
export const isNumbered = (event: MarketEvent): boolean => event.id.startsWith(`${headOf(event)}0:`)

/** `0:17` becomes `<epoch>:17`, `agg:17` `agg<epoch>:17`; an id with a time stays as it is. */
export function withEpoch<Event extends MarketEvent>(event: Event, epoch: number): Event {
  if (epoch === 0) return event
  const head = headOf(event)
  const [word = '', ...rest] = event.id.slice(head.length).split(':')
  if (/^[1-9]\d*$/.test(word)) return event
  return { ...event, id: `${head}${word === '0' ? '' : word}${epoch}:${rest.join(':')}` }
}

/** What {@link withEpoch} has made of the id of a numbered event; 0: nothing. */
export function epochOf(event: MarketEvent): number {
  const [word = ''] = event.id.slice(headOf(event).length).split(':')
  return Number(/\d*$/.exec(word)?.[0])
}

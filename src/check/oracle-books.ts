/** Book events chain by the venue's published rule, or a fitting gap record stands between; no change of a stale book leaves. */

import type { BookDelta, BookSnapshot, EpochUs, Gap } from '../model/event.ts'
import { DiskTrouble } from './oracle-disk.ts'
import type { GapRecord } from './oracle-gaps.ts'
import { type Court, isProcessGap, type Judge } from './oracle-judge.ts'
import type { Chain } from './oracle-promises.ts'
import type { Stream } from './oracle-streams.ts'

type BookData = BookSnapshot | BookDelta

interface Book {
  /** Sequences of the two newest events. */
  last: number | undefined
  beforeLast: number | undefined
  lastIndex: number
  isSnapshot: boolean
  /** It is live, or a snapshot came since it was not. */
  isBuilt: boolean
  /** A change left while the book was stale; right only if it is told to be live in the same instant. */
  staleDeltaUs: EpochUs | undefined
  /** The chain broke here, and no gap said so. */
  hole: { readonly atUs: EpochUs; readonly last: number | undefined; readonly text: string } | undefined
  /** The gap that explains the newest break: its end is compared when it is told and the next change is there. */
  bridge: { readonly record: GapRecord; readonly start: number; firstDelta?: BookDelta } | undefined
  /** The gap that explained the newest break: once it has ended it explains no other. */
  used: GapRecord | undefined
}

/**
 * Does `delta` follow `last`? As the venues publish it:
 * `range`: U <= last + 1 <= u. `previous`: the named predecessor is last. `previous_joined`: likewise, and behind a
 * fetched snapshot also U <= last <= u.
 */
export function follows(chain: Chain, last: number, isSnapshot: boolean, delta: BookDelta): boolean {
  const { first_sequence: first, last_sequence: end, previous_sequence: previous } = delta
  if (end === undefined) return false
  if (chain === 'range') return first !== undefined && first <= last + 1 && end >= last + 1
  if (previous === last) return true
  return chain === 'previous_joined' && isSnapshot && first !== undefined && first <= last && end >= last
}

export function judgeBooks({ streams, options, report }: Court): Judge {
  const books = new Map<Stream, Book>()
  const disk = new DiskTrouble(options)
  const told = new Set<GapRecord>()

  const bookOf = (stream: Stream): Book => {
    const book = books.get(stream) ?? newBook()
    books.set(stream, book)
    return book
  }

  /** The process went on with it, because the one before could not write down its end. */
  const isReverted = ({ revertedKills }: GapRecord): boolean => revertedKills === streams.kills

  /** The disk did not take where the ended process had come to: the next one knows an older number, or one of an older numbering. */
  const isOutdated = (record: GapRecord): boolean =>
    (isProcessGap(record.latest) || isReverted(record)) && streams.endedUs !== undefined && disk.isAt(streams.endedUs)

  /** The chain is broken: is there a gap that says so? */
  function bridge(stream: Stream, book: Book, event: BookData): void {
    const sequence = endOf(event)
    const text = `${event.type} ${sequence} follows ${book.last}`
    const between = [...stream.gaps.values()].filter(
      (each) =>
        stream.open.has(each) || (each.latestIndex > book.lastIndex && (each !== book.used || isReverted(each))),
    )
    if (between.length === 0) {
      book.hole ??= { atUs: streams.nowUs, last: book.last, text }
      return
    }
    const fitting = between.filter((each) => fitsBehind(each.latest, book.last) || isOutdated(each))
    const [record] = fitting
    book.used = record
    if (record === undefined) {
      const gaps = between.map(({ latest }) => `${latest.gap_id} after ${latest.last_sequence}`)
      report('gap_sequences_unfit', streams.nowUs, stream, `${text}, with gap ${gaps.join(', ')}`)
    } else if (isReset(record.latest, book.last, sequence)) book.bridge = undefined
    else {
      if (!isReverted(record)) judgeStart(stream, book, record.latest, fitting.length)
      book.bridge = { record, start: sequence ?? 0, ...(event.type === 'book_delta' && { firstDelta: event }) }
    }
  }

  function judgeStart(stream: Stream, { beforeLast, last = 0 }: Book, gap: Gap, count: number): void {
    if (count > 1 || isProcessGap(gap) || gap.last_sequence === undefined) return
    // A numbering that started anew has no order.
    if (beforeLast === undefined || beforeLast > last) return
    if (gap.last_sequence < beforeLast)
      report(
        'gap_too_wide',
        streams.nowUs,
        stream,
        `gap ${gap.gap_id} begins at ${gap.last_sequence}, not ${beforeLast}`,
      )
  }

  /** Where the gap says it ends, against where the events go on. `isLast`: no more will be known. */
  function judgeEnd(stream: Stream, book: Book, isLast: boolean): void {
    const { record, start, firstDelta } = book.bridge ?? {}
    const first = record?.latest.first_sequence
    if (record === undefined || start === undefined || first === undefined) return
    if (firstDelta === undefined && !isLast) return
    book.bridge = undefined
    const earliest = Math.min(start, firstDelta?.first_sequence ?? start)
    const latest = firstDelta?.last_sequence ?? Number.POSITIVE_INFINITY
    const text = `gap ${record.gapId} ends at ${first}; the book goes on at ${start}`
    if (first < earliest) report('gap_sequences_unfit', record.firstAtUs, stream, text)
    else if (first > Math.max(latest, start)) report('gap_too_wide', record.firstAtUs, stream, text)
  }

  function judgeState(stream: Stream, book: Book, event: BookData): void {
    if (book.staleDeltaUs !== undefined) tellStale(stream, book)
    if (event.type === 'book_snapshot') {
      book.isBuilt = true
      return
    }
    if (!book.isBuilt) book.staleDeltaUs = streams.nowUs
    else if (stream.liveUs !== undefined) judgeOpenGaps(stream)
  }

  function tellStale(stream: Stream, book: Book): void {
    if (book.staleDeltaUs === undefined) return
    report('stale_book_delta', book.staleDeltaUs, stream, `a change left behind ${book.last}, and the book is not live`)
    book.staleDeltaUs = undefined
  }

  function judgeOpenGaps(stream: Stream): void {
    for (const record of stream.open) {
      if (told.has(record)) continue
      told.add(record)
      report('gap_open_while_live', streams.nowUs, stream, `gap ${record.gapId} is open since ${record.firstAtUs}`)
    }
  }

  function deliver(stream: Stream, event: BookData): void {
    const book = bookOf(stream)
    judgeState(stream, book, event)
    const sequence = endOf(event)
    if (book.bridge !== undefined && event.type === 'book_delta') book.bridge.firstDelta ??= event
    if (book.last !== undefined && sequence !== undefined) {
      const isFollowing =
        event.type === 'book_snapshot'
          ? sequence === book.last
          : follows(options.chainOf(stream.venue), book.last, book.isSnapshot, event)
      if (!isFollowing) bridge(stream, book, event)
    }
    judgeEnd(stream, book, false)
    book.beforeLast = book.last
    book.last = sequence ?? book.last
    book.isSnapshot = event.type === 'book_snapshot'
    book.lastIndex = streams.index
  }

  return {
    fault: (entry) => disk.fault(entry),
    process({ state, atUs }) {
      if (state === 'started') return
      for (const [stream, book] of books) {
        book.isBuilt = false
        // The next process has nothing that its own would have to follow.
        if (book.hole === undefined && disk.isUnheardOf(stream, atUs)) books.delete(stream)
      }
    },
    data(stream, event) {
      if (event.type === 'book_snapshot' || event.type === 'book_delta') deliver(stream, event)
    },
    bookState(stream, { state }) {
      const book = bookOf(stream)
      if (state === 'live' && book.staleDeltaUs === streams.nowUs) book.staleDeltaUs = undefined
      tellStale(stream, book)
      book.isBuilt = state === 'live'
    },
    gap({ record: { stream }, event }) {
      if (stream.channel !== 'book') return
      const book = bookOf(stream)
      const { hole } = book
      if (hole !== undefined && event.start_time_us <= hole.atUs && fitsBehind(event, hole.last)) {
        book.hole = undefined
        report('data_before_gap', hole.atUs, stream, `${hole.text}; gap ${event.gap_id} came later`)
      }
    },
    checkpoint(stream) {
      if (stream.liveUs !== undefined) judgeOpenGaps(stream)
    },
    finish() {
      for (const [stream, book] of books) {
        tellStale(stream, book)
        judgeEnd(stream, book, true)
        if (book.hole !== undefined) report('book_chain_broken', book.hole.atUs, stream, book.hole.text)
      }
    },
  }
}

const newBook = (): Book => ({
  last: undefined,
  beforeLast: undefined,
  lastIndex: 0,
  isSnapshot: false,
  isBuilt: false,
  staleDeltaUs: undefined,
  hole: undefined,
  bridge: undefined,
  used: undefined,
})

const endOf = (event: BookData): number | undefined =>
  event.type === 'book_snapshot' ? event.sequence : event.last_sequence

/** The venue's numbering started anew: sequences before and after cannot be compared. */
const isReset = ({ cause }: Gap, last: number | undefined, sequence: number | undefined): boolean =>
  cause === 'sequence_reset' || (last ?? 0) > (sequence ?? 0)

/** The gap begins at or before the last event that left. */
const fitsBehind = ({ cause, last_sequence }: Gap, last: number | undefined): boolean =>
  last_sequence === undefined || last === undefined || cause === 'sequence_reset' || last_sequence <= last

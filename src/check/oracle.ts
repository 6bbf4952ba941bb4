/**
 * Judges one simulated run of the collector from the truth alone: reads the trace entry by entry, knows nothing of how
 * the collector works, and finishes with every broken promise, in the order of time.
 */

import type { BookState, MarketEvent } from '../model/event.ts'
import { CHANNEL_OF } from '../model/event.ts'
import { judgeBooks } from './oracle-books.ts'
import { judgeCauses } from './oracle-causes.ts'
import { judgeStalls, judgeWaits } from './oracle-dials.ts'
import { DiskTrouble } from './oracle-disk.ts'
import { judgeEnd } from './oracle-end.ts'
import { FigureKeeper, type Figures } from './oracle-figures.ts'
import { Gaps } from './oracle-gaps.ts'
import type { Court, Judge } from './oracle-judge.ts'
import { judgeLinks, judgeSpoilt } from './oracle-notice.ts'
import { judgeOutages, judgeProcess } from './oracle-outages.ts'
import { DEFAULTS, type OracleOptions, type Report, type Violation } from './oracle-promises.ts'
import { judgeRecords } from './oracle-records.ts'
import { judgeRefusals, judgeRefusalsTold, judgeRepeatedAsking } from './oracle-refusals.ts'
import { judgeRepeats } from './oracle-repeats.ts'
import { judgeReplicas } from './oracle-replica.ts'
import { judgeEarlyEnds, judgeReturns } from './oracle-returns.ts'
import { nameOf, type Stream, Streams } from './oracle-streams.ts'
import { judgeNumbers, judgeTimes } from './oracle-tight.ts'
import { judgeHealing, judgeTrades } from './oracle-trades.ts'
import { judgeUnfound } from './oracle-unfound.ts'
import type { TraceEntry } from './trace.ts'

export type { Figures } from './oracle-figures.ts'
export { type OracleOptions, PROMISES, type PromiseName, type Violation } from './oracle-promises.ts'

export interface Oracle {
  /** Entries in the order in which they happened. */
  add(entry: TraceEntry): void
  /** To be called once, when all entries were added. */
  finish(): Violation[]
  figures(): Figures
}

/** Judges a whole trace. */
export function judge(trace: Iterable<TraceEntry>, options: Partial<OracleOptions> = {}): Violation[] {
  const oracle = createOracle(options)
  for (const entry of trace) oracle.add(entry)
  return oracle.finish()
}

export function createOracle(given: Partial<OracleOptions> = {}): Oracle {
  const options = { ...DEFAULTS, ...given }
  const streams = new Streams(options)
  const gaps = new Gaps(streams)
  const violations: Violation[] = []
  let count = 0
  const disk = new DiskTrouble(options)
  const report: Report = (promise, atUs, key, text) => {
    count++
    if (violations.length < options.violationsMax)
      violations.push({ promise, atUs, ...(key && { stream: nameOf(key) }), text })
  }
  const figures = new FigureKeeper(streams)
  const judges: readonly Judge[] = [...assemble({ streams, options, report }), figures]
  return {
    add(entry) {
      // A process's clock waits when the machine's goes back; that of the next process does not know.
      const isStart = entry.kind === 'process' && entry.state === 'started'
      const atUs = isStart ? entry.atUs : Math.max(entry.atUs, streams.nowUs)
      streams.nowUs = atUs
      streams.clockUs = entry.atUs
      streams.index++
      if (entry.kind === 'fault') disk.fault(entry)
      hear({ ...asKill(entry, disk.isAt(atUs)), atUs }, { streams, gaps, judges })
    },
    finish() {
      for (const each of judges) each.finish?.()
      return violations.sort((a, b) => a.atUs - b.atUs)
    },
    figures: () => figures.read(count),
  }
}

/** What a troubled disk has not taken when the process stops is gone, as if the process had been killed. */
const asKill = (entry: TraceEntry, isDiskTroubled: boolean): TraceEntry =>
  isDiskTroubled && entry.kind === 'process' && entry.state === 'stopped' ? { ...entry, state: 'killed' } : entry

/** Causes come before the judges that ask when the fault struck. */
const assemble = (court: Court): Judge[] =>
  [
    judgeRecords,
    judgeCauses,
    judgeTimes,
    judgeNumbers,
    judgeTrades,
    judgeHealing,
    judgeRepeats,
    judgeUnfound,
    judgeEarlyEnds,
    judgeBooks,
    judgeReplicas,
    judgeOutages,
    judgeProcess,
    judgeLinks,
    judgeWaits,
    judgeStalls,
    judgeRefusals,
    judgeRefusalsTold,
    judgeRepeatedAsking,
    judgeReturns,
    judgeSpoilt,
    judgeEnd,
  ].map((create) => create(court))

interface Hearing {
  readonly streams: Streams
  readonly gaps: Gaps
  readonly judges: readonly Judge[]
}

function hear(entry: TraceEntry, hearing: Hearing): void {
  const { streams, gaps, judges } = hearing
  switch (entry.kind) {
    case 'frame':
      if (entry.fate === 'delivered') streams.delivered(streams.of(entry), entry.connection, entry.atUs)
      else streams.lost(streams.of(entry), entry.connection, entry.atUs)
      break
    case 'subscribed':
      streams.subscribed(streams.of(entry), entry.connection)
      for (const judge of judges) judge.subscribed?.(streams.of(entry))
      break
    case 'unsubscribed':
      streams.unsubscribed(streams.of(entry), entry.connection)
      break
    case 'asked':
      for (const judge of judges) judge.asked?.(entry)
      break
    case 'shown':
      for (const judge of judges) judge.shown?.(streams.of(entry), entry)
      break
    case 'connection':
      streams.connection(entry)
      for (const judge of judges) judge.connection?.(entry)
      break
    case 'durable':
      gaps.durable(entry.id)
      break
    case 'event':
      hearEvent(entry.event, hearing)
      break
    case 'process':
      streams.process(entry)
      if (entry.state === 'killed') gaps.killed(streams.all())
      for (const judge of judges) judge.process?.(entry)
      break
    case 'traded':
      for (const judge of judges) judge.traded?.(entry)
      break
    case 'renumbered': {
      const stream = streams.of({ ...entry, channel: 'trade' })
      streams.renumbered(stream, entry.venueUs)
      for (const judge of judges) judge.renumbered?.(stream)
      break
    }
    case 'fault':
      streams.fault(entry)
      for (const judge of judges) judge.fault?.(entry)
      break
    case 'violation':
      for (const judge of judges) judge.violation?.(entry)
      break
    case 'checkpoint': {
      const { venue, symbol } = entry
      for (const judge of judges) judge.checkpoint?.(streams.of({ venue, symbol, channel: 'book' }), entry)
      break
    }
    case 'end':
      for (const judge of judges) judge.end?.(streams.of(entry), entry)
      break
  }
}

function hearEvent(event: MarketEvent, { streams, gaps, judges }: Hearing): void {
  if (event.type === 'instrument') return
  if (event.type === 'gap') {
    const revision = gaps.take(streams.of(event), event)
    if (revision.repeat === 'no') for (const judge of judges) judge.gap?.(revision)
    else if (revision.repeat === 'wrong') for (const judge of judges) judge.repeated?.(revision)
    gaps.settle(revision)
    return
  }
  const stream = streams.of({ venue: event.venue, symbol: event.symbol, channel: CHANNEL_OF[event.type] })
  if (event.type === 'book_state') {
    hearState(stream, event, streams, judges)
    return
  }
  stream.leftUs ??= streams.nowUs
  for (const judge of judges) judge.data?.(stream, event)
}

function hearState(stream: Stream, event: BookState, streams: Streams, judges: readonly Judge[]): void {
  if (event.state !== 'live') stream.liveUs = undefined
  else stream.liveUs ??= streams.nowUs
  for (const judge of judges) judge.bookState?.(stream, event)
}

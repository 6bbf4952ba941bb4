/** What a judge sees of a run. Each handler is called after the shared state has taken the entry in. */

import type { BookState, Gap } from '../model/event.ts'
import type { Revision } from './oracle-gaps.ts'
import type { OracleOptions, Report } from './oracle-promises.ts'
import type { DataEvent, Stream, Streams } from './oracle-streams.ts'
import type { TraceEntry } from './trace.ts'

export type Entry<Kind extends TraceEntry['kind']> = Extract<TraceEntry, { kind: Kind }>

export interface Judge {
  traded?(entry: Entry<'traded'>): void
  /** The stream's trades are numbered anew. */
  renumbered?(stream: Stream): void
  fault?(entry: Entry<'fault'>): void
  violation?(entry: Entry<'violation'>): void
  connection?(entry: Entry<'connection'>): void
  asked?(entry: Entry<'asked'>): void
  shown?(stream: Stream, entry: Entry<'shown'>): void
  /** A connection carries the stream from now on. */
  subscribed?(stream: Stream): void
  process?(entry: Entry<'process'>): void
  /** Data left. */
  data?(stream: Stream, event: DataEvent): void
  bookState?(stream: Stream, event: BookState): void
  /** A new revision of a gap left. */
  gap?(revision: Revision): void
  /** A revision left under an id that had left before in this process. */
  repeated?(revision: Revision): void
  checkpoint?(stream: Stream, entry: Entry<'checkpoint'>): void
  end?(stream: Stream, entry: Entry<'end'>): void
  finish?(): void
}

export interface Court {
  readonly streams: Streams
  readonly options: OracleOptions
  readonly report: Report
}

/** The process ended, in whatever way: such a gap begins where the last process was last known to live. */
export const isProcessGap = ({ cause }: Gap): boolean => cause === 'process_down' || cause === 'shutdown'

/** The fault may keep from arriving what a venue sends, of whatever symbol. */
export const mayBlock = ({ fault, symbol }: Entry<'fault'>, options: OracleOptions): boolean => {
  const { harmlessFaults, restFaults, diskFaults } = options
  return symbol === undefined && ![harmlessFaults, restFaults, diskFaults].some((words) => words.test(fault))
}

export const millis = (us: number): string => `${Math.round(us / 1000)} ms`

import type { EpochUs } from '../model/event.ts'
import type { Clock, Files, Processes, Random } from '../platform/platform.ts'
import type { LogRecord } from './frame.ts'
import type { Loss } from './loss.ts'

/** `always`: a record counts as written when it is on disk; `interval`: it is within `syncMs`; `off`: when the system likes. */
export type SyncPolicy = 'always' | 'interval' | 'off'
/** What makes room: the oldest records, or the newest by not being taken. */
export type FullPolicy = 'evict' | 'refuse'

export interface SpoolLimits {
  readonly segmentBytes: number
  /** All files together. */
  readonly quotaBytes: number
  /** Of the quota; kept free for gap records. */
  readonly reserveBytes: number
  /** The newest part of the log that is held in memory; what is not on disk by then is refused. */
  readonly memoryBytes: number
  /** Records that come so soon after a write are written together, or when they are so many bytes. */
  readonly groupMs: number
  readonly groupBytes: number
  readonly syncMs: number
  /** Segments are kept so long after every sink has had them. */
  readonly keepMs: number
}

export interface SpoolOptions {
  readonly folder: string
  readonly files: Files
  readonly clock: Clock
  readonly processes: Processes
  readonly random: Random
  readonly sinks: readonly string[]
  readonly sync: SyncPolicy
  readonly whenFull: FullPolicy
  readonly limits: SpoolLimits
  /** Somebody else knows that the log had records up to here for good. */
  readonly provenLsn?: number | undefined
  /** Must make the loss durable before it returns, and may append gap records. Called before anything later is appended or removed. */
  readonly onLoss: (loss: Loss) => void
  /** Nothing newer is known of its gap. Others need not be kept when what they stand among makes room. Absent: all are. */
  readonly isNewest?: (gap: Pick<LogRecord, 'body'>) => boolean
  /** There is no room for gap records: they wait in memory; 0: none waits any more. */
  readonly onGapsWaiting?: (count: number) => void
  /** What is wrong with the disk; `undefined`: nothing any more. */
  readonly onProblem?: (problem: string | undefined) => void
  /** {@link Spool.durableLsn} has grown. */
  readonly onDurable?: () => void
  /** Seconds that one sync took. */
  readonly onSync?: (seconds: number) => void
}

export const SPOOL_LIMITS: SpoolLimits = {
  segmentBytes: 64 * 1024 * 1024,
  quotaBytes: 4 * 1024 * 1024 * 1024,
  reserveBytes: 16 * 1024 * 1024,
  memoryBytes: 32 * 1024 * 1024,
  groupMs: 1,
  groupBytes: 256 * 1024,
  syncMs: 50,
  keepMs: 300_000,
}

/** Plain fields, read by whoever shows them. */
export interface SpoolCounts {
  /** Records and bytes that were appended. */
  records: number
  recordBytes: number
  /** Records given up for lack of room: evicted before every sink had them, or refused. */
  evicted: number
  refused: number
  /** Gap records for which there is no room; they are in memory. */
  gapsWaiting: number
  /** Failed operations of the disk. */
  readonly ioErrors: Record<IoOperation, number>
  /** Spoilt places found while reading. */
  spoilt: number
}

export const IO_OPERATIONS = ['open', 'write', 'sync', 'read', 'remove', 'cursor'] as const
export type IoOperation = (typeof IO_OPERATIONS)[number]

export const newCounts = (): SpoolCounts => ({
  records: 0,
  recordBytes: 0,
  evicted: 0,
  refused: 0,
  gapsWaiting: 0,
  ioErrors: { open: 0, write: 0, sync: 0, read: 0, remove: 0, cursor: 0 },
  spoilt: 0,
})

/** What opening found and did. */
export interface Recovery {
  readonly segments: number
  /** The newest record that survived, and when its data was received. */
  readonly lastLsn: number
  readonly lastTimeUs: EpochUs | undefined
  /** Cut from the ends of segments: begun and never finished. */
  readonly truncatedBytes: number
  /** The last process did not close the log. */
  readonly wasInterrupted: boolean
  /** What the log had and has no more; to be treated like those of `onLoss`. */
  readonly losses: readonly Loss[]
  /** Sentences about what was not as it should be. */
  readonly notes: readonly string[]
}

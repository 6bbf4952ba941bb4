/**
 * What a store must be able to do. Everything else is the pump's, for all sinks alike (pump.ts): where the sink stands,
 * what it gets next, retries and their waits, metrics and health.
 */

import type { EpochUs } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { LogRecord } from '../spool/frame.ts'

/** Consecutive records of the log. */
export interface Batch {
  readonly firstLsn: number
  readonly lastLsn: number
  /** The records in order, chunk by chunk; no two of one batch are read at a time. May be called again for a second pass. */
  records(): AsyncIterable<readonly LogRecord[]>
}

/** What the store holds of the log already. */
export interface Held {
  /** Everything up to here is stored, for certain. What is behind it is sent again but for {@link further}. */
  readonly throughLsn: number
  /** Further records that are stored. */
  readonly further?: ReadonlySet<number>
  /** The store has lost what it had confirmed: it was set back to an older copy, or made anew. */
  readonly hasLost?: boolean
  /** Then: when it stored the newest of what it still holds, µs; 0: it holds nothing. Absent: it cannot tell. */
  readonly sinceUs?: EpochUs
}

export interface Sink {
  /**
   * Connects and prepares the store. Called before the first write, and again after every write that failed.
   * Resolves with what the store holds; `undefined`: it cannot tell, and the pump's own cursor counts.
   * Errors: rejects with what is wrong, in words; the pump waits and calls again, for ever.
   */
  open(): Promise<Held | undefined>
  /**
   * Resolves when all of the batch is stored for good. Up to {@link SinkTraits.batchesMax} run at a time, begun in order.
   * Errors: rejects; nothing is assumed of the batch, and all of it comes again, after `close` and `open`.
   */
  write(batch: Batch): Promise<void>
  /** Plain fields that only grow; each is shown as a metric. */
  readonly counts?: Readonly<Record<string, number>>
  /** Gives connections and files free; unfinished writes reject. Never rejects. */
  close(): Promise<void>
}

/** How a sink wants to be fed. A batch is written when it is full or its first record is `ageMs` old. */
export interface SinkTraits {
  readonly recordsMax: number
  readonly bytesMax: number
  /** 0: whatever there is goes at once. */
  readonly ageMs: number
  /** Writes that may run at a time. */
  readonly batchesMax: number
  /** A batch that may have been stored comes again with the same bounds, also after a crash. */
  readonly hasFixedBatches: boolean
}

/** Fields of a log line. */
type Say = (event: string, message: string, fields?: Readonly<Record<string, string | number>>) => void

/** What a sink is given. */
export interface SinkPorts {
  readonly platform: Platform
  readonly logger: { readonly info: Say; readonly warning: Say }
  /** Names the log that the numbers belong to: another log counts from 1 again. */
  readonly logId: string
  /** A folder of the sink's own, for what it must remember. It may not exist yet. */
  readonly stateFolder: string
  /**
   * The store refuses this record for good. Resolves when record and reason are in the dead-letter file and the ledger;
   * that of a batch that comes again is there already.
   */
  reject(record: LogRecord, reason: string): Promise<void>
}

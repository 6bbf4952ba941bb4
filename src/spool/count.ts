import type { EpochUs } from '../model/event.ts'
import type { Files } from '../platform/platform.ts'
import type { LogRecord } from './frame.ts'
import { LossTally, type StreamLoss } from './loss.ts'
import { type Segment, SegmentReader } from './segment.ts'

/** Records of a segment that makes room. */
interface Counted {
  readonly streams: readonly StreamLoss[]
  readonly gaps: readonly LogRecord[]
  /** `sinceUs`: when the last record before was received; 0: not known. */
  readonly spoilt: readonly (readonly [firstLsn: number, lastLsn: number, sinceUs: EpochUs])[]
  /** When the last record was received; 0: not known. */
  readonly lastTimeUs: EpochUs
  /** A part cannot be read, and is not counted; its range is among what is spoilt. */
  readonly hasFailed: boolean
}

/** What a segment holds from one record to another. */
export async function countRecords(
  files: Files,
  { path, firstLsn: start }: Segment,
  firstLsn: number,
  lastLsn: number,
): Promise<Counted> {
  const tally = new LossTally()
  const gaps: LogRecord[] = []
  const spoilt: [number, number, EpochUs][] = []
  const reader = new SegmentReader(files, path, start)
  let sinceUs = 0
  let hasFailed = false
  const add = (from: number, to: number): void => {
    const range = [Math.max(from, firstLsn), Math.min(to, lastLsn)] as const
    if (range[0] <= range[1]) spoilt.push([...range, sinceUs])
  }
  try {
    for (let items = await reader.next(); items !== undefined; items = await reader.next()) {
      for (const { record, problem } of items) {
        if (record === undefined) {
          if (problem.lastLsn !== undefined) add(problem.firstLsn, problem.lastLsn)
          continue
        }
        sinceUs = record.timeUs
        if (record.lsn < firstLsn || record.lsn > lastLsn) continue
        tally.add(record)
        if (record.kind === 'gap') gaps.push(record)
      }
    }
  } catch {
    hasFailed = true
  }
  add(reader.nextLsn, lastLsn)
  return { streams: tally.streams, gaps, spoilt, lastTimeUs: sinceUs, hasFailed }
}

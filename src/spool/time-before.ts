import type { EpochUs } from '../model/event.ts'
import type { Files } from '../platform/platform.ts'
import { type Segment, SegmentReader } from './segment.ts'

/** When the data of the last record before `lsn` that can still be read were received, µs; 0: there is none. */
export async function timeBefore(files: Files, segments: readonly Segment[], lsn: number): Promise<EpochUs> {
  for (const segment of segments.filter(({ firstLsn }) => firstLsn < lsn).reverse()) {
    const timeUs = await lastTimeOf(files, segment, lsn)
    if (timeUs > 0) return timeUs
  }
  return 0
}

async function lastTimeOf(files: Files, { path, firstLsn, isOpen, bytes }: Segment, lsn: number): Promise<EpochUs> {
  const reader = new SegmentReader(files, path, firstLsn)
  const next = () => reader.next(isOpen ? bytes : undefined)
  let timeUs = 0
  try {
    for (let items = await next(); items !== undefined; items = await next())
      for (const { record } of items) {
        if (record === undefined) continue
        if (record.lsn >= lsn) return timeUs
        timeUs = record.timeUs
      }
  } catch {
    // It is about a place that cannot be read; what is before it counts.
  }
  return timeUs
}

/** What a log's folder holds when it is opened: where each segment ends, and what the last process left half done. */

import { join } from 'node:path'
import type { EpochUs } from '../model/event.ts'
import type { Files } from '../platform/platform.ts'
import { frameEnd } from './frame.ts'
import { quarantinePath } from './quarantine.ts'
import type { Problem } from './scanner.ts'
import {
  inOrder,
  parseSegmentName,
  readSegmentHead,
  SEGMENT_HEAD_BYTES,
  type Segment,
  type SegmentName,
  SegmentReader,
} from './segment.ts'

export interface RecoveredSegments {
  readonly segments: Segment[]
  readonly lastLsn: number
  readonly lastTimeUs: EpochUs | undefined
  readonly truncatedBytes: number
  /** The end of the log is torn: the record that is not there. */
  readonly tornLsn: number | undefined
  /** What is torn had its full length once: more than a write that was cut. */
  readonly wasWhole: boolean
  readonly notes: string[]
}

interface Ending {
  readonly lastLsn: number
  readonly lastTimeUs: EpochUs | undefined
  /** Behind the last record. */
  readonly end: number
  readonly tornBytes: number
  readonly wasWhole: boolean
}

/** Reads the newest segment as a whole, and older ones where nothing says how far they go. Errors: the system's. */
export async function recoverSegments(
  folder: string,
  files: Files,
  names: readonly string[],
): Promise<RecoveredSegments> {
  const places = names.flatMap((name) => {
    const parsed = parseSegmentName(name)
    return parsed === undefined ? [] : [{ ...parsed, path: join(folder, name) }]
  })
  const segments: Segment[] = []
  const notes: string[] = []
  const endings: Ending[] = []
  /** What the segment behind says of the one before; `undefined`: nothing. */
  let lastLsnTold: number | undefined
  for (const place of places.sort(inOrder).reverse()) {
    const bytes = (await files.size(place.path)) ?? 0
    const previousLsn = readSegmentHead(await files.readAt(place.path, 0, SEGMENT_HEAD_BYTES)) ?? place.firstLsn
    const common = { ...place, previousLsn, isOpen: false, ackedAtMs: undefined }
    if (lastLsnTold !== undefined && lastLsnTold >= place.firstLsn)
      segments.unshift({ ...common, lastLsn: lastLsnTold, bytes })
    else {
      const ending = await readEnding(files, place)
      if (ending.lastLsn < place.firstLsn) {
        await setAside(files, place.path, bytes, notes)
        continue
      }
      // What the last process wrote and did not sync shall survive a power failure from now on.
      await files.truncate(place.path, ending.end)
      endings.push(ending)
      segments.unshift({ ...common, lastLsn: ending.lastLsn, bytes: ending.end })
    }
    lastLsnTold = previousLsn < place.firstLsn ? previousLsn : undefined
  }
  await files.syncFolder(folder)
  const lastLsn = segments.reduce((last, segment) => Math.max(last, segment.lastLsn), 0)
  const [newest] = endings
  return {
    segments,
    lastLsn,
    lastTimeUs: newest?.lastTimeUs,
    truncatedBytes: endings.reduce((sum, { tornBytes }) => sum + tornBytes, 0),
    // Only at the very end nothing else tells that records are gone.
    tornLsn: newest !== undefined && newest.tornBytes > 0 ? newest.lastLsn + 1 : undefined,
    wasWhole: newest?.wasWhole ?? false,
    notes,
  }
}

async function readEnding(files: Files, { path, firstLsn }: SegmentName & { path: string }): Promise<Ending> {
  const reader = new SegmentReader(files, path, firstLsn)
  let lastTimeUs: EpochUs | undefined
  let torn: Problem | undefined
  for (let items = await reader.next(); items !== undefined; items = await reader.next()) {
    for (const { record, problem } of items) {
      if (record !== undefined) lastTimeUs = record.timeUs
      else if (problem.kind === 'torn') torn = problem
    }
  }
  const wasWhole = torn !== undefined && (await hasFullLength(files, path, torn))
  return { lastLsn: reader.nextLsn - 1, lastTimeUs, end: reader.end, tornBytes: torn?.bytes ?? 0, wasWhole }
}

/** A record that was cut while it was written is shorter than it says. What is there in full length was spoilt later. */
async function hasFullLength(files: Files, path: string, { offset, bytes }: Problem): Promise<boolean> {
  const end = frameEnd(await files.readAt(path, offset, SEGMENT_HEAD_BYTES), 0)
  return end === undefined || end <= bytes
}

/** A segment without a record: of one that was just begun nothing is kept, of a spoilt one everything. */
async function setAside(files: Files, path: string, bytes: number, notes: string[]): Promise<void> {
  if (bytes <= SEGMENT_HEAD_BYTES) await files.remove(path)
  else {
    await files.rename(path, quarantinePath(path))
    notes.push(`${path} holds no whole record; moved to ${quarantinePath(path)}`)
  }
}

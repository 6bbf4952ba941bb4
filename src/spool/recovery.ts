/** What a log's folder holds when it is opened: where each segment ends, and what the last process left half done. */

import { join } from 'node:path'
import type { EpochUs } from '../model/event.ts'
import type { Clock, Files } from '../platform/platform.ts'
import { frameEnd } from './frame.ts'
import { copyFile, quarantinePath } from './quarantine.ts'
import type { Problem } from './scanner.ts'
import {
  inOrder,
  newSegment,
  parseSegmentName,
  readSegmentHead,
  SEGMENT_HEAD_BYTES,
  type Segment,
  type SegmentName,
  SegmentReader,
} from './segment.ts'
import { readOr } from './unreadable.ts'

export interface RecoveryParts {
  readonly folder: string
  readonly files: Files
  readonly clock: Clock
}

export interface RecoveredSegments {
  readonly segments: Segment[]
  readonly lastLsn: number
  readonly lastTimeUs: EpochUs | undefined
  readonly truncatedBytes: number
  /** The end of the log is torn, or cannot be read: the record that is not there. */
  readonly tornLsn: number | undefined
  /** It had its full length once: more than a write that was cut. */
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
  /** The disk cannot read what is behind it. */
  readonly isUnreadable: boolean
}

type Place = SegmentName & { readonly path: string }

/** Reads the newest segment as a whole, and older ones where nothing says how far they go. Errors: the system's. */
export async function recoverSegments(
  { folder, files, clock }: RecoveryParts,
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
    const head = await readOr(clock, () => files.readAt(place.path, 0, SEGMENT_HEAD_BYTES), Buffer.of())
    const previousLsn = readSegmentHead(head) ?? place.firstLsn
    const common = { ...place, previousLsn, isOpen: false, ackedAtMs: undefined }
    if (lastLsnTold !== undefined && lastLsnTold >= place.firstLsn)
      segments.unshift({ ...common, lastLsn: lastLsnTold, bytes })
    else {
      const ending = await readEnding({ folder, files, clock }, place)
      const { lastLsn, end, isUnreadable } = ending
      const isEmpty = lastLsn < place.firstLsn
      if (!isEmpty || (isUnreadable && bytes > SEGMENT_HEAD_BYTES)) endings.push(ending)
      if (isEmpty) {
        await setAside(files, place.path, bytes, notes)
        continue
      }
      const segment: Segment = { ...common, lastLsn, bytes: isUnreadable ? bytes : end }
      // What the last process wrote and did not sync shall survive a power failure from now on.
      if (!isUnreadable) await files.truncate(place.path, end)
      segments.unshift(isUnreadable ? await keepReadable(files, folder, segment, segments, end, notes) : segment)
    }
    lastLsnTold = previousLsn < place.firstLsn ? previousLsn : undefined
  }
  await files.syncFolder(folder)
  const lastLsn = segments.reduce((last, segment) => Math.max(last, segment.lastLsn), 0)
  const [newest] = endings
  const isTorn = newest !== undefined && (newest.tornBytes > 0 || newest.isUnreadable)
  return {
    segments,
    lastLsn,
    lastTimeUs: endings.find(({ lastTimeUs }) => lastTimeUs !== undefined)?.lastTimeUs,
    truncatedBytes: endings.reduce((sum, { tornBytes }) => sum + tornBytes, 0),
    // Only at the very end nothing else tells that records are gone.
    tornLsn: isTorn ? newest.lastLsn + 1 : undefined,
    wasWhole: newest?.wasWhole ?? false,
    notes,
  }
}

async function readEnding({ files, clock }: RecoveryParts, { path, firstLsn }: Place): Promise<Ending> {
  const reader = new SegmentReader(files, path, firstLsn)
  const next = () => readOr(clock, () => reader.next(), 'unreadable' as const)
  let lastTimeUs: EpochUs | undefined
  let torn: Problem | undefined
  let items = await next()
  for (; items !== undefined && items !== 'unreadable'; items = await next()) {
    for (const { record, problem } of items) {
      if (record !== undefined) lastTimeUs = record.timeUs
      else if (problem.kind === 'torn') torn = problem
    }
  }
  const isUnreadable = items === 'unreadable'
  const wasWhole = isUnreadable || (torn !== undefined && (await hasFullLength(files, path, torn)))
  const lastLsn = reader.nextLsn - 1
  return { lastLsn, lastTimeUs, end: reader.end, tornBytes: torn?.bytes ?? 0, wasWhole, isUnreadable }
}

/**
 * What can be read becomes a segment of its own, and the file is kept for people to look into. Where that cannot be done
 * it stays where it is: readers pass over its end.
 */
async function keepReadable(
  files: Files,
  folder: string,
  segment: Segment,
  others: readonly Segment[],
  end: number,
  notes: string[],
): Promise<Segment> {
  const { path, firstLsn, previousLsn, lastLsn } = segment
  const fresh = newSegment(folder, [segment, ...others], firstLsn, previousLsn)
  const text = `the disk cannot read ${path} behind record ${lastLsn}`
  try {
    await copyFile(files, path, fresh.path, end)
    await files.rename(path, quarantinePath(path))
    notes.push(`${text}; moved to ${quarantinePath(path)}, what is before it to ${fresh.path}`)
    return { ...fresh, lastLsn, bytes: end, isOpen: false }
  } catch {
    await files.remove(fresh.path).catch(() => {})
    notes.push(text)
    return segment
  }
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
    notes.push(`${path} holds no whole record that can be read; moved to ${quarantinePath(path)}`)
  }
}

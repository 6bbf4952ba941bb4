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
  /** Records at the end of the log that were whole once, from this one on. */
  readonly spoiltFromLsn: number | undefined
  readonly notes: string[]
}

interface Ending {
  readonly lastLsn: number
  readonly lastTimeUs: EpochUs | undefined
  /** Behind the last record. */
  readonly end: number
  readonly torn: Problem | undefined
}

/** Reads the newest segment as a whole, and older ones where nothing says how far they go. Errors: the system's. */
export async function recoverSegments(
  folder: string,
  files: Files,
  names: readonly string[],
): Promise<RecoveredSegments> {
  const found = names.flatMap((name) => {
    const parsed = parseSegmentName(name)
    return parsed === undefined ? [] : [{ ...parsed, path: join(folder, name) }]
  })
  found.sort(inOrder)
  const segments: Segment[] = []
  const notes: string[] = []
  let truncatedBytes = 0
  let lastTimeUs: EpochUs | undefined
  let spoiltFromLsn: number | undefined
  /** What the segment behind says; undefined: nothing. */
  let lastLsnTold: number | undefined
  for (const place of found.reverse()) {
    const size = (await files.size(place.path)) ?? 0
    const previousLsn = readSegmentHead(await files.readAt(place.path, 0, SEGMENT_HEAD_BYTES)) ?? 0
    const segment = {
      ...place,
      previousLsn,
      lastLsn: lastLsnTold ?? 0,
      bytes: size,
      isOpen: false,
      ackedAtMs: undefined,
    }
    if (lastLsnTold === undefined || lastLsnTold < place.firstLsn) {
      const ending = await readEnding(files, place)
      if (ending.lastLsn < place.firstLsn) {
        await setAside(files, place.path, size, notes)
        continue
      }
      lastTimeUs ??= ending.lastTimeUs
      segment.lastLsn = ending.lastLsn
      segment.bytes = ending.end
      if (ending.torn !== undefined) {
        truncatedBytes += ending.torn.bytes
        // Only at the very end nothing else tells that records are gone.
        if (segments.length === 0 && (await wasWhole(files, place.path, ending.torn)))
          spoiltFromLsn = ending.lastLsn + 1
        await files.truncate(place.path, ending.end)
      }
    }
    segments.unshift(segment)
    lastLsnTold = previousLsn === 0 ? undefined : previousLsn
  }
  const lastLsn = segments.reduce((last, segment) => Math.max(last, segment.lastLsn), 0)
  return { segments, lastLsn, lastTimeUs, truncatedBytes, spoiltFromLsn, notes }
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
  return { lastLsn: reader.nextLsn - 1, lastTimeUs, end: reader.end, torn }
}

/** A record that was cut while it was written is shorter than it says. What is there in full length was spoilt later. */
async function wasWhole(files: Files, path: string, { offset, bytes }: Problem): Promise<boolean> {
  const head = await files.readAt(path, offset, SEGMENT_HEAD_BYTES)
  const end = frameEnd(head, 0)
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

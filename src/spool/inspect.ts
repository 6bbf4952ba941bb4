/** Reads a log's folder without changing it: what each file holds, and what is wrong. */

import { join } from 'node:path'
import type { EpochUs } from '../model/event.ts'
import type { Files, ProcessName } from '../platform/platform.ts'
import { cursorPath, cursorSink, parseLsn } from './cursors.ts'
import { readEnd } from './end.ts'
import type { LogRecord } from './frame.ts'
import { isStaleLock, lockPath } from './lock.ts'
import { isQuarantine } from './quarantine.ts'
import type { Problem } from './scanner.ts'
import { inOrder, parseSegmentName, type SegmentName, SegmentReader, segmentName } from './segment.ts'

export interface SegmentReport extends SegmentName {
  readonly name: string
  readonly path: string
  readonly bytes: number
  /** Below `firstLsn`: it has no record. */
  readonly lastLsn: number
  readonly previousLsn: number | undefined
  readonly records: number
  readonly gaps: number
  readonly firstTimeUs: EpochUs | undefined
  readonly lastTimeUs: EpochUs | undefined
  readonly problems: readonly Problem[]
}

interface CursorReport {
  readonly sink: string
  /** `undefined`: the file is spoilt. */
  readonly lsn: number | undefined
}

export interface SpoolReport {
  readonly folder: string
  readonly holder: ProcessName | undefined
  readonly segments: readonly SegmentReport[]
  /** Records between segments, or at the end, that should be there. */
  readonly missing: readonly { readonly firstLsn: number; readonly lastLsn: number }[]
  readonly cursors: readonly CursorReport[]
  /** Copies of spoilt segments. */
  readonly quarantined: readonly string[]
  readonly lastLsn: number
}

/** `holder`: the process that uses it. Errors: the system's. Without a folder it is an empty log. */
export async function inspectSpool(
  folder: string,
  files: Files,
  holder: ProcessName | undefined,
): Promise<SpoolReport> {
  const names = await files.list(folder)
  const found = segmentsOf(names)
  const segments: SegmentReport[] = []
  for (const [index, place] of found.entries()) {
    // The end of what is being written is not torn, only not there yet; what is written again in the next is not lost.
    const isGrowing = holder !== undefined && index === found.length - 1
    const report = await inspectSegment(files, folder, place)
    const isMended = ({ firstLsn }: Problem): boolean => (found[index + 1]?.firstLsn ?? firstLsn + 1) <= firstLsn
    const problems = report.problems.filter((each) => !(isGrowing && each.kind === 'torn') && !isMended(each))
    segments.push({ ...report, problems })
  }
  const cursors: CursorReport[] = []
  for (const sink of names.flatMap((name) => cursorSink(name) ?? []).sort())
    cursors.push({ sink, lsn: parseLsn((await files.read(cursorPath(folder, sink))) ?? '') })
  const lastLsn = segments.reduce((last, segment) => Math.max(last, segment.lastLsn), 0)
  // Only a log that was closed says where it ends; of one that has no segments every sink has had everything.
  const hasLock = (await files.size(lockPath(folder))) !== undefined || names.some(isStaleLock)
  const isClosed = segments.length > 0 && !hasLock
  const endLsn = isClosed ? ((await readEnd(folder, files)) ?? 0) : 0
  const missing = missingBetween(segments)
  if (endLsn > lastLsn) missing.push({ firstLsn: lastLsn + 1, lastLsn: endLsn })
  return { folder, holder, segments, missing, cursors, quarantined: names.filter(isQuarantine).sort(), lastLsn }
}

/** Names of segments, in order. */
const segmentsOf = (names: readonly string[]): SegmentName[] =>
  names.flatMap((name) => parseSegmentName(name) ?? []).sort(inOrder)

async function inspectSegment(files: Files, folder: string, place: SegmentName): Promise<SegmentReport> {
  const name = segmentName(place)
  const path = join(folder, name)
  const reader = new SegmentReader(files, path, place.firstLsn)
  const problems: Problem[] = []
  let records = 0
  let gaps = 0
  let first: LogRecord | undefined
  let last: LogRecord | undefined
  for (let items = await reader.next(); items !== undefined; items = await reader.next()) {
    for (const { record, problem } of items) {
      if (record === undefined) problems.push(problem)
      else {
        first ??= record
        last = record
        records++
        if (record.kind === 'gap') gaps++
      }
    }
  }
  return {
    ...place,
    name,
    path,
    bytes: (await files.size(path)) ?? 0,
    lastLsn: reader.nextLsn - 1,
    previousLsn: reader.previousLsn,
    records,
    gaps,
    firstTimeUs: first?.timeUs,
    lastTimeUs: last?.timeUs,
    problems,
  }
}

function missingBetween(segments: readonly SegmentReport[]): { firstLsn: number; lastLsn: number }[] {
  let last: number | undefined
  return segments.flatMap(({ firstLsn, previousLsn, lastLsn }) => {
    const from = (last ?? firstLsn) + 1
    const until = Math.min(firstLsn - 1, previousLsn ?? firstLsn)
    const isFirst = last === undefined
    last = Math.max(last ?? 0, lastLsn)
    return isFirst || until < from ? [] : [{ firstLsn: from, lastLsn: until }]
  })
}

/** Every record between two numbers, once, in order. Spoilt places are passed over. Errors: the system's. */
export async function* readRecords(
  folder: string,
  files: Files,
  fromLsn: number,
  untilLsn: number,
): AsyncGenerator<readonly LogRecord[]> {
  let last = fromLsn - 1
  const found = segmentsOf(await files.list(folder))
  for (const [index, place] of found.entries()) {
    const next = found[index + 1]
    // What is written twice is taken from where it was written first; a segment that ends before `fromLsn` is left out.
    if (place.firstLsn > untilLsn || (next !== undefined && next.firstLsn <= fromLsn && next.attempt === 0)) continue
    const reader = new SegmentReader(files, join(folder, segmentName(place)), place.firstLsn)
    for (let items = await reader.next(); items !== undefined; items = await reader.next()) {
      const records = items.flatMap(({ record }) =>
        record !== undefined && record.lsn > last && record.lsn <= untilLsn ? [record] : [],
      )
      last = records.at(-1)?.lsn ?? last
      if (records.length > 0) yield records
    }
  }
}

/** The log as a person reads it. */

import { isoTime } from '../model/time.ts'
import type { SegmentReport, SpoolReport } from '../spool/inspect.ts'
import type { Repaired } from '../spool/repair.ts'
import type { Problem, ProblemKind } from '../spool/scanner.ts'
import { type Column, type Screen, tableText, utcText } from './table.ts'

const PROBLEMS: Readonly<Record<ProblemKind, string>> = {
  corrupt: 'spoilt',
  torn: 'the end is torn',
  missing: 'numbers are left out',
  repeated: 'a record comes twice',
  unknown: 'a record of a later version',
  head: 'the head is spoilt',
}
/** Written out one by one; all are counted. */
const SHOWN_MAX = 50

const SEGMENTS: readonly Column<SegmentReport>[] = [
  { head: 'SEGMENT', text: ({ name }) => name },
  { head: 'BYTES', text: ({ bytes }) => String(bytes), isNumber: true },
  { head: 'RECORDS', text: ({ records }) => String(records), isNumber: true },
  { head: 'GAPS', text: ({ gaps }) => String(gaps), isNumber: true },
  { head: 'LAST', text: ({ records, lastLsn }) => (records === 0 ? '-' : String(lastLsn)), isNumber: true },
  { head: 'FROM (UTC)', text: ({ firstTimeUs }) => timeText(firstTimeUs) },
  { head: 'UNTIL (UTC)', text: ({ lastTimeUs }) => timeText(lastTimeUs) },
  {
    head: 'STATE',
    text: ({ problems }) => (problems.length === 0 ? 'sound' : `problems: ${problems.length}`),
    colour: ({ problems }) => (problems.length === 0 ? 'green' : 'red'),
  },
]

export const isSound = ({ segments, missing, cursors }: SpoolReport): boolean =>
  missing.length === 0 &&
  segments.every(({ problems }) => problems.length === 0) &&
  cursors.every(({ lsn }) => lsn !== undefined)

export function reportText(report: SpoolReport, screen: Screen): string {
  const { folder, holder, segments, quarantined } = report
  const use = holder === undefined ? 'no process uses it' : `process ${holder.pid} uses it`
  const head = `Log in ${folder}; ${use}.\n`
  if (segments.length === 0 && report.cursors.length === 0) return `There is no log in ${folder}.\n`
  if (segments.length === 0) return `${head}It has no records.\n${cursorText(report, screen)}`
  const copies = quarantined.length === 0 ? '' : `Copies of spoilt files: ${quarantined.join(', ')}\n`
  return `${head}\n${tableText(SEGMENTS, segments, screen)}\n${cursorText(report, screen)}${copies}${verdictText(report)}`
}

function cursorText({ cursors, lastLsn, segments }: SpoolReport, screen: Screen): string {
  if (cursors.length === 0) return 'No sink has a cursor.\n'
  const behindOf = (lsn: number): number => countBehind(segments, lsn)
  const columns: readonly Column<SpoolReport['cursors'][number]>[] = [
    { head: 'SINK', text: ({ sink }) => sink },
    { head: 'HAS', text: ({ lsn }) => (lsn === undefined ? 'spoilt' : String(lsn)), isNumber: true },
    { head: 'LACKS AT MOST', text: ({ lsn }) => (lsn === undefined ? '-' : String(behindOf(lsn))), isNumber: true },
    { head: 'NOTE', text: ({ lsn }) => (lsn !== undefined && lsn > lastLsn ? 'ahead of the log' : '') },
  ]
  return `${tableText(columns, cursors, screen)}\n`
}

/** Records behind `lsn`; of the segment that it stands in, as many as there can be. */
function countBehind(segments: readonly SegmentReport[], lsn: number): number {
  const counts = segments.map(({ firstLsn, lastLsn, records }) =>
    lsn < firstLsn ? records : Math.min(records, Math.max(0, lastLsn - lsn)),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

function verdictText(report: SpoolReport): string {
  const { segments, missing } = report
  const records = segments.reduce((sum, segment) => sum + segment.records, 0)
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
  const total = `${segments.length} segments, ${records} records, ${bytes} bytes.`
  const spoilt = segments.flatMap(({ name, problems }) => problems.map((problem) => problemText(name, problem)))
  const lines = [
    ...spoilt,
    ...missing.map(({ firstLsn, lastLsn }) =>
      firstLsn > report.lastLsn
        ? `at the end: ${lostText(firstLsn, lastLsn)}`
        : `between segments: ${lostText(firstLsn, lastLsn)}`,
    ),
    ...report.cursors.flatMap(({ sink, lsn }) => (lsn === undefined ? [`cursor of ${sink}: spoilt`] : [])),
  ]
  if (lines.length === 0) return `${total} All of them are sound.\n`
  const more = lines.length > SHOWN_MAX ? `  … and ${lines.length - SHOWN_MAX} more\n` : ''
  const shown = lines.slice(0, SHOWN_MAX).map((line) => `  ${line}\n`)
  return `${total} Not sound:\n${shown.join('')}${more}`
}

function problemText(name: string, { kind, offset, bytes, firstLsn, lastLsn }: Problem): string {
  const passed = bytes === 0 ? '' : `, ${bytes} bytes passed over`
  const lost = lastLsn === undefined ? `no record from ${firstLsn} on` : lostText(firstLsn, lastLsn)
  return `${name} at byte ${offset}: ${PROBLEMS[kind]}${passed}; ${lost}`
}

function lostText(firstLsn: number, lastLsn: number): string {
  if (lastLsn < firstLsn) return 'no record is lost'
  return lastLsn === firstLsn ? `record ${firstLsn} is lost` : `records ${firstLsn} to ${lastLsn} are lost`
}

export function repairText({ report, steps }: Repaired, isTrial: boolean): string {
  if (steps.length === 0) return `Log in ${report.folder}: nothing to repair.\n`
  const head = isTrial ? 'would be repaired' : 'repaired'
  return `Log in ${report.folder} ${head}:\n${steps.map((step) => `  ${step}\n`).join('')}`
}

const timeText = (timeUs: number | undefined): string => (timeUs === undefined ? '-' : utcText(isoTime(timeUs)))

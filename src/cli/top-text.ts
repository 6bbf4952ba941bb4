/** The picture of `marketprism top`, line by line. Pure. */

import { visible } from '../ops/log-pretty.ts'
import { shareText } from './completeness.ts'
import { type Column, paint, type Screen, siText, tableText, utcText } from './table.ts'
import { type Feed, type GroupRow, groupRows, isWanted, type Sample, type SinkState, shareOf } from './top-sample.ts'

/** What is shown: the newest sample, the one before it, and why there is none newer. */
export interface TopState {
  readonly url: string
  readonly sample: Sample | undefined
  readonly before: Sample | undefined
  /** Why there is no newer sample, in words. */
  readonly problem: string | undefined
  /** Something answers, if not what was asked for. */
  readonly isConnected: boolean
}

export interface TopScreen extends Screen {
  /** Lines; `undefined`: as many as there are. */
  readonly height: number | undefined
}

const HEALTH_COLOUR = { healthy: 'green', degraded: 'yellow', unhealthy: 'red' } as const
const DAY_SECONDS = 86_400
/** Feeds that are named where there is no end of the screen. */
const NAMED_MAX = 50

const LEGEND = '* not verifiable: more may be missing than is known'

const GROUPS: readonly Column<GroupRow>[] = [
  { head: 'VENUE', text: ({ venue }) => venue },
  { head: 'CHANNEL', text: ({ channel }) => channel },
  {
    head: 'LIVE',
    text: ({ live, feeds }) => `${live}/${feeds}`,
    isNumber: true,
    colour: ({ live, feeds }) => (live === feeds ? 'green' : live === 0 ? 'red' : 'yellow'),
  },
  { head: 'EVENTS/S', text: ({ rate }) => rateText(rate), isNumber: true },
  { head: 'NEWEST', text: ({ newestSeconds }) => ageText(newestSeconds), isNumber: true },
  { head: 'OLDEST', text: ({ oldestSeconds }) => ageText(oldestSeconds), isNumber: true },
  {
    head: 'OPEN GAPS',
    text: ({ openGaps }) => String(openGaps),
    isNumber: true,
    colour: ({ openGaps }) => (openGaps > 0 ? 'red' : undefined),
  },
  {
    head: 'COVERED 1 H',
    text: ({ coveredShare, isVerifiable }) => shareText(coveredShare ?? null) + (isVerifiable ? ' ' : '*'),
    isNumber: true,
    colour: ({ coveredShare = 1 }) => (coveredShare < 1 ? 'yellow' : undefined),
  },
]

const SINKS: readonly Column<SinkState>[] = [
  { head: 'SINK', text: ({ name }) => name },
  { head: 'STATE', text: ({ isUp }) => (isUp ? 'up' : 'down'), colour: ({ isUp }) => (isUp ? 'green' : 'red') },
  { head: 'STORED', text: ({ records }) => siText(records).trim(), isNumber: true },
  { head: 'WAITING', text: ({ lagRecords }) => siText(lagRecords).trim(), isNumber: true },
  { head: 'BEHIND', text: ({ lagSeconds }) => `${lagSeconds.toFixed(1)} s`, isNumber: true },
  { head: 'IN WORDS', text: ({ result }) => result },
]

const TROUBLED: readonly Column<Feed>[] = [
  { head: 'NOT LIVE', text: ({ venue }) => venue },
  { head: 'CHANNEL', text: ({ channel }) => channel },
  { head: 'SYMBOL', text: ({ symbol }) => symbol },
  { head: 'STATE', text: ({ state }) => state, colour: () => 'yellow' },
  { head: 'SINCE (UTC)', text: ({ since }) => utcText(since) },
  { head: 'REASON', text: ({ reason }) => reason },
]

/** The lines, cut to the screen. Where there is not enough room, the channels of a venue are one row. */
export function topLines(state: TopState, screen: TopScreen): string[] {
  const { sample, before } = state
  if (sample === undefined) return cut(headLines(state, screen), screen)
  const head = headLines(state, screen)
  const full = tableLines(GROUPS, groupRows(sample, before, true), screen)
  const sinks = sample.sinks.length === 0 ? [] : ['', ...tableLines(SINKS, sample.sinks, screen)]
  const troubled = sample.feeds.filter((feed) => isWanted(feed) && feed.state !== 'live')
  const named = troubled.slice(0, NAMED_MAX)
  const troubles = named.length === 0 ? [] : ['', ...tableLines(TROUBLED, named, screen)]
  const more = troubled.length > NAMED_MAX ? [`… ${troubled.length - NAMED_MAX} more`] : []
  const others = [...sinks, ...troubles, ...more]
  const { height = Number.POSITIVE_INFINITY } = screen
  const isTooLong = head.length + full.length + 1 + Math.min(others.length, sinks.length + 4) > height
  const groups = isTooLong ? tableLines(GROUPS, groupRows(sample, before, false), screen) : full
  return cut([...head, ...groups, LEGEND, ...others], screen)
}

function headLines({ url, sample, before, problem, isConnected }: TopState, screen: TopScreen): string[] {
  if (sample === undefined) return [visible(problem ?? `asking ${url} …`)]
  const { status, health, timeMs, coverage } = sample
  const seconds = before === undefined ? 0 : (timeMs - before.timeMs) / 1000
  const events = status.collection_stats.total_collections
  const grown = events - (before?.status.collection_stats.total_collections ?? 0)
  const rate = seconds > 0 && grown >= 0 ? grown / seconds : undefined
  const simulated = status.environment === 'simulation' ? '  SIMULATED DATA' : ''
  const openGaps = [...sample.openGaps.values()].reduce((sum, count) => sum + count, 0)
  const lines = [
    `MarketPrism ${status.version}  ${paint(health.status, HEALTH_COLOUR[health.status], screen)}  up ${upText(status.uptime_seconds)}  ${url}${simulated}`,
    `${utcText(new Date(timeMs).toISOString()).slice(0, 19)} UTC  ${rateText(rate)} events/s  open gaps ${openGaps}  covered ${shareText(shareOf(coverage ?? []) ?? null)}  events ${events}  errors ${status.collection_stats.error_count}`,
    ...failingChecks(sample, screen),
    '',
  ]
  if (problem === undefined) return lines
  const state = isConnected ? 'NO GOOD ANSWER' : 'NOT CONNECTED'
  const since = `${state}; asked again and again. What follows was true at ${utcText(new Date(timeMs).toISOString()).slice(0, 19)} UTC.`
  return [...[since, visible(problem)].map((line) => paint(line, 'red', screen)), ...lines]
}

/** What health says beside feeds and sinks, which have tables. */
function failingChecks({ health }: Sample, screen: TopScreen): string[] {
  return Object.entries(health.checks).flatMap(([name, { status, result }]) =>
    status === 'pass' || /^(feeds?|sink)\b/.test(name)
      ? []
      : paint(visible(`${status}  ${name}: ${result}`), status === 'fail' ? 'red' : 'yellow', screen),
  )
}

function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[], screen: TopScreen): string[] {
  return tableText(columns, rows, screen).trimEnd().split('\n')
}

/** Within width and height; the last line tells what is not shown. */
function cut(lines: readonly string[], { width, height }: TopScreen): string[] {
  const isWhole = height === undefined || lines.length <= height
  const shown = isWhole ? lines : [...lines.slice(0, height - 1), `… ${lines.length - height + 1} more lines`]
  return shown.map((line) => (width === undefined ? line : clipped(line, width)))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what the table itself paints with
const PAINTED = /(\u001b\[\d+m)|./gsu

/** Colours take no room, and end where the line is cut. */
function clipped(line: string, width: number): string {
  let room = width
  let text = ''
  for (const [part, colour] of line.matchAll(PAINTED)) {
    if (colour !== undefined) text += colour
    else if (room-- > 0) text += part
  }
  return text
}

const rateText = (rate: number | undefined): string => (rate === undefined ? '-' : rate.toFixed(rate < 100 ? 1 : 0))

function ageText(seconds: number | undefined): string {
  if (seconds === undefined) return '-'
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min`
}

function upText(seconds: number): string {
  const days = Math.floor(seconds / DAY_SECONDS)
  const time = new Date((seconds % DAY_SECONDS) * 1000).toISOString().slice(11, 19)
  return days === 0 ? time : `${days} d ${time}`
}

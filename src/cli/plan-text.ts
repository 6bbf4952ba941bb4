/** A plan as a person reads it. */

import type { Rates, VenuePlan } from '../collector/plan.ts'
import type { Config } from '../ops/config-schema.ts'
import { type Column, type Screen, siText, tableText } from './table.ts'

const PERCENT = 100
const HOUR_SECONDS = 3_600
const DAY_SECONDS = 24 * HOUR_SECONDS

const VENUES: readonly Column<VenuePlan>[] = [
  { head: 'VENUE', text: ({ venue }) => venue.id },
  { head: 'SYMBOLS', text: ({ symbols }) => String(symbols), isNumber: true },
  { head: 'STREAMS', text: ({ cost }) => String(cost.topics), isNumber: true },
  {
    head: 'AT MOST',
    text: ({ cost }) => (Number.isFinite(cost.topicsMax) ? String(cost.topicsMax) : '-'),
    isNumber: true,
    colour: ({ cost }) => (cost.topics > cost.topicsMax ? 'red' : undefined),
  },
  { head: 'CONNECTIONS', text: ({ cost }) => String(cost.connections.length), isNumber: true },
  {
    head: 'REQUESTS TO SUBSCRIBE',
    text: ({ cost }) => String(cost.connections.reduce((sum, { requests }) => sum + requests, 0)),
    isNumber: true,
  },
  { head: 'START TAKES', text: ({ cost }) => `${Math.ceil(cost.startMs / 1000)} s`, isNumber: true },
]

type BudgetCost = VenuePlan['cost']['budgets'][number]

interface BudgetRow extends BudgetCost {
  readonly venue: string
}

const BUDGETS: readonly Column<BudgetRow>[] = [
  { head: 'VENUE', text: ({ venue }) => venue },
  { head: 'BUDGET', text: ({ name }) => name },
  { head: 'LIMIT', text: ({ limit, windowMs }) => `${limit} in ${windowMs / 1000} s`, isNumber: true },
  { head: 'AT THE START', text: ({ start }) => String(start), isNumber: true },
  { head: 'LATER, AT MOST', text: ({ later, windowMs }) => `${later} in ${windowMs / 1000} s`, isNumber: true },
  {
    head: 'OF THE LIMIT',
    text: ({ later, limit }) => `${((later / limit) * PERCENT).toFixed(1)} %`,
    isNumber: true,
    colour: ({ later, allowed }) => (later > allowed ? 'red' : undefined),
  },
]

interface RateRow {
  readonly venue: string
  readonly rates: VenuePlan['rates']
}

/** From the usual to the peak. */
const rangeText = ({ rates: { usual, peak } }: RateRow, key: keyof Rates, unit: string): string =>
  [usual, peak].map((rates) => `${siText(rates[key])}${unit}`.trim()).join(' to ')

const RATES: readonly Column<RateRow>[] = [
  { head: 'VENUE', text: ({ venue }) => venue },
  { head: 'MESSAGES A SECOND', text: (row) => rangeText(row, 'messagesPerSecond', ''), isNumber: true },
  { head: 'NETWORK A SECOND', text: (row) => rangeText(row, 'wireBytesPerSecond', 'B'), isNumber: true },
  { head: 'LOG A DAY', text: (row) => rangeText(row, 'logBytesPerDay', 'B'), isNumber: true },
  { head: 'LAKE A DAY', text: (row) => rangeText(row, 'lakeBytesPerDay', 'B'), isNumber: true },
]

export function planText(plans: readonly VenuePlan[], config: Config, screen: Screen): string {
  if (plans.length === 0) return 'No venue is switched on: nothing is collected.\n'
  const budgets = plans.flatMap(({ venue, cost }) => cost.budgets.map((cost) => ({ venue: venue.id, ...cost })))
  return `What the venues are asked for

${tableText(VENUES, plans, screen)}
${tableText(BUDGETS, budgets, screen)}
Of each limit the collector spends 80 % at most. Later there are ${config.enable_websocket ? 'audits of all books, questions about all trades' : 'the polls'} and metadata.

What is to come (estimates)

${tableText(RATES, rateRows(plans), screen)}
From "usual", each instrument like a larger altcoin on a normal day, to "peak", each like BTCUSDT futures in a volatile hour:
measured on recordings of 2021 to 2024 (docs/CLI.md). Most instruments bring less than usual.

${diskText(plans, config)}`
}

function rateRows(plans: readonly VenuePlan[]): RateRow[] {
  const rows = plans.map(({ venue, rates }) => ({ venue: venue.id, rates }))
  return plans.length > 1 ? [...rows, { venue: 'all', rates: totalOf(plans) }] : rows
}

function totalOf(plans: readonly VenuePlan[]): VenuePlan['rates'] {
  const total = (which: 'usual' | 'peak'): Rates => {
    const sum = (key: keyof Rates) => plans.reduce((total, { rates }) => total + rates[which][key], 0)
    return {
      messagesPerSecond: sum('messagesPerSecond'),
      wireBytesPerSecond: sum('wireBytesPerSecond'),
      logBytesPerDay: sum('logBytesPerDay'),
      lakeBytesPerDay: sum('lakeBytesPerDay'),
    }
  }
  return { usual: total('usual'), peak: total('peak') }
}

/** How long the configured room lasts. */
function diskText(plans: readonly VenuePlan[], { spool, lake }: Config): string {
  const { usual, peak } = totalOf(plans)
  const lines: string[] = []
  if (spool.mode !== 'off')
    lines.push(
      `The durable log (spool.quota_bytes, ${siText(spool.quota_bytes)}B) holds what a sink misses for ${lastsText(spool.quota_bytes, usual.logBytesPerDay)} (usual), ${lastsText(spool.quota_bytes, peak.logBytesPerDay)} (peak).`,
    )
  if (lake.enabled && lake.max_bytes > 0)
    lines.push(
      `The lake (lake.max_bytes, ${siText(lake.max_bytes)}B) keeps ${lastsText(lake.max_bytes, usual.lakeBytesPerDay)} (usual), ${lastsText(lake.max_bytes, peak.lakeBytesPerDay)} (peak); then the oldest go.`,
    )
  else if (lake.enabled) lines.push('The lake grows without a limit (lake.max_bytes: 0).')
  lines.push('What NATS and ClickHouse take is theirs: about the log a day in JetStream, less than that in ClickHouse.')
  return `${lines.join('\n')}\n`
}

function lastsText(bytes: number, bytesPerDay: number): string {
  const seconds = (bytes / bytesPerDay) * DAY_SECONDS
  if (!Number.isFinite(seconds)) return 'for ever'
  if (seconds >= 2 * DAY_SECONDS) return `${Math.floor(seconds / DAY_SECONDS)} days`
  return seconds >= 2 * HOUR_SECONDS ? `${Math.floor(seconds / HOUR_SECONDS)} h` : `${Math.floor(seconds / 60)} min`
}

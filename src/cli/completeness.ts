/** `marketprism completeness`: what a running service covers of a window, and what it lacks. */

import { Command } from 'commander'
import type { z } from 'zod'
import { completenessResponse } from '../api/routes/completeness.ts'
import { EXIT } from './exit.ts'
import { addServiceFlags, askService, type ServiceFlags } from './running-service.ts'
import { type Column, countText, type Screen, screenOf, secondsText, tableText, utcText } from './table.ts'

type Completeness = z.output<typeof completenessResponse>
type Feed = Completeness['feeds'][number]
type Sum = Completeness['summary']['verifiable']
type Measures = Omit<NonNullable<Feed['buckets']>[number], 'end'>

const PARAMETERS = {
  venue: 'one venue',
  symbol: 'one symbol',
  type: 'one channel: trade, ticker, quote or book',
  since: 'start of the window: 15m, 2d, or an ISO-8601 time; 24 h before its end unless said',
  until: 'end of the window; now unless said',
  step: 'cut it into buckets of 60s, 5m, 1h …',
}

const PERCENT = 100
/** A share has six digits. */
const PERCENT_DIGITS = 4

export const shareText = (share: number | null): string =>
  share === null ? '-' : `${(share * PERCENT).toFixed(PERCENT_DIGITS)} %`

const isWhole = ({ covered_share, ids_lost, open_gaps }: Omit<Measures, 'start'>): boolean =>
  covered_share === 1 && (ids_lost ?? 0) === 0 && open_gaps === 0

const MEASURES: readonly Column<Measures>[] = [
  {
    head: 'COVERED',
    text: ({ covered_share }) => shareText(covered_share),
    isNumber: true,
    colour: (row) => (isWhole(row) ? undefined : row.open_gaps > 0 ? 'red' : 'yellow'),
  },
  { head: 'SECONDS LOST', text: ({ seconds_lost }) => secondsText(seconds_lost), isNumber: true },
  { head: 'IDS LOST', text: ({ ids_lost }) => countText(ids_lost), isNumber: true },
  { head: 'IDS HEALED', text: ({ ids_healed }) => countText(ids_healed), isNumber: true },
  { head: 'GAPS', text: ({ gaps }) => countText(gaps), isNumber: true },
  { head: 'OPEN', text: ({ open_gaps }) => countText(open_gaps), isNumber: true },
  { head: 'FROM (UTC)', text: ({ start }) => utcText(start) },
]

interface Row extends Measures, Pick<Feed, 'venue' | 'channel' | 'symbol' | 'proof'> {}

const COLUMNS: readonly Column<Row>[] = [
  { head: 'VENUE', text: ({ venue }) => venue },
  { head: 'CHANNEL', text: ({ channel }) => channel },
  { head: 'SYMBOL', text: ({ symbol }) => symbol },
  { head: 'PROOF', text: ({ proof }) => proof },
  ...MEASURES,
]

export function completenessCommand(): Command {
  const command = new Command('completeness').description('what a running service covers of a window, feed by feed')
  return addServiceFlags(command, PARAMETERS)
    .addHelpText(
      'after',
      `
Examples:
  marketprism completeness                    the last 24 hours
  marketprism completeness --since 1h --fail  exit status ${EXIT.missing} when something is missing, or nothing was collected
  marketprism completeness --symbol BTCUSDT --type trade --step 1m`,
    )
    .action(async (flags: ServiceFlags) => {
      const names = Object.keys(PARAMETERS)
      const answer = await askService('/api/v1/completeness', names, { ...flags }, completenessResponse)
      const text = () => completenessText(answer, screenOf(process.stdout))
      process.stdout.write(flags.json ? `${JSON.stringify(answer, null, 2)}\n` : text())
      const { verifiable, unverifiable } = answer.summary
      const isMissing = answer.count === 0 || verifiable.incomplete + unverifiable.incomplete > 0
      if (flags.fail && isMissing) process.exitCode = EXIT.missing
    })
}

/** The answer as a person reads it: what can be verified first, the rest apart. */
export function completenessText({ query_parameters, summary, feeds }: Completeness, screen: Screen): string {
  const { since, until, step_seconds } = query_parameters
  const window = `${utcText(since)} to ${utcText(until)} UTC`
  if (feeds.length === 0) return `Nothing was collected from ${window}.\n`
  const hasBuckets = step_seconds !== null
  const section = (title: string, sum: Sum, isVerifiable: boolean): string => {
    const own = feeds.filter(({ verifiable }) => verifiable === isVerifiable)
    if (own.length === 0) return ''
    return `\n${title}\n\n${hasBuckets ? bucketsText(own, screen) : tableText(COLUMNS, worstFirst(own), screen)}\n${sumText(sum)}`
  }
  return [
    `From ${window}\n`,
    section('Verified: every lost message is known.', summary.verifiable, true),
    section('Not verifiable: more may be lost than is known.', summary.unverifiable, false),
  ].join('')
}

/** Open gaps first, then what lacks most. */
const worstFirst = (feeds: readonly Feed[]): Feed[] =>
  [...feeds].sort((a, b) => Number(b.open_gaps > 0) - Number(a.open_gaps > 0) || a.covered_share - b.covered_share)

/** Only the buckets that lack or lacked something; there may be thousands. */
function bucketsText(feeds: readonly Feed[], screen: Screen): string {
  const rows = feeds.flatMap(({ venue, channel, symbol, proof, buckets = [] }) =>
    buckets.map((bucket): Row => ({ venue, channel, symbol, proof, ...bucket })),
  )
  const touched = rows.filter((row) => row.gaps > 0 || !isWhole(row))
  const others = `Buckets without a gap: ${rows.length - touched.length} of ${rows.length}.\n`
  return touched.length === 0 ? others : `${tableText(COLUMNS, touched, screen)}\n${others}`
}

function sumText({ feeds, incomplete, covered_share, seconds_lost, ids_lost, ids_healed, open_gaps }: Sum): string {
  const ids = ids_lost === null ? '' : `, ${ids_lost} ids lost, ${countText(ids_healed)} healed`
  const counts = `feeds: ${feeds}, lacking something: ${incomplete}, open gaps: ${open_gaps}`
  return `Covered ${shareText(covered_share)}, ${secondsText(seconds_lost)} s lost${ids}; ${counts}.\n`
}

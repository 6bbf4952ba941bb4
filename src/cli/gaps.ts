/** `marketprism gaps`: the gap ledger of a running service. */

import { Command } from 'commander'
import type { z } from 'zod'
import { gapsResponse } from '../api/routes/gaps.ts'
import { EXIT } from './exit.ts'
import { addServiceFlags, askService, type ServiceFlags } from './running-service.ts'
import { type Column, countText, type Screen, screenOf, secondsText, tableText, utcText } from './table.ts'

type Gaps = z.output<typeof gapsResponse>
type Gap = Gaps['gaps'][number]

const PARAMETERS = {
  venue: 'one venue',
  symbol: 'one symbol',
  type: 'one channel: trade, ticker, quote or book',
  state: 'open, closed, healed or final',
  cause: 'one cause',
  since: 'gaps that lasted until then: 15m, 2d, or an ISO-8601 time',
  until: 'gaps that began by then',
  after: 'only gaps behind this one, by its gap_id (--json tells it)',
  limit: 'gaps in the table, 100 unless said',
}

const COLOUR = { open: 'red', final: 'yellow', closed: undefined, healed: 'green' } as const

const COLUMNS: readonly Column<Gap>[] = [
  { head: 'STATE', text: ({ state }) => state, colour: ({ state }) => COLOUR[state] },
  { head: 'START (UTC)', text: ({ start_time }) => utcText(start_time) },
  { head: 'SECONDS', text: ({ duration_seconds }) => secondsText(duration_seconds), isNumber: true },
  { head: 'VENUE', text: ({ venue }) => venue },
  { head: 'CHANNEL', text: ({ channel }) => channel },
  { head: 'SYMBOL', text: ({ symbol }) => symbol },
  { head: 'CAUSE', text: ({ cause }) => cause },
  { head: 'LOST', text: ({ lost }) => countText(lost), isNumber: true },
  { head: 'HEALED', text: ({ healed }) => countText(healed), isNumber: true },
  { head: 'REASON', text: ({ reason }) => reason ?? '' },
]

export function gapsCommand(): Command {
  const command = new Command('gaps').description('the gaps that a running service knows of, the open ones first')
  return addServiceFlags(command, PARAMETERS)
    .addHelpText(
      'after',
      `
Examples:
  marketprism gaps                            the newest gaps
  marketprism gaps --state open --fail        exit status ${EXIT.missing} when one is open
  marketprism gaps --venue okx --since 1h --json`,
    )
    .action(async (flags: ServiceFlags) => {
      const gaps = await askService('/api/v1/gaps', Object.keys(PARAMETERS), { ...flags }, gapsResponse)
      process.stdout.write(flags.json ? `${JSON.stringify(gaps, null, 2)}\n` : gapsText(gaps, screenOf(process.stdout)))
      if (flags.fail && gaps.summary.incomplete > 0) process.exitCode = EXIT.missing
    })
}

/** The answer as a person reads it. */
export function gapsText({ gaps, summary, count, has_more }: Gaps, screen: Screen): string {
  if (summary.total === 0) {
    return 'No gap matches. Streams without a proof may lack something all the same: marketprism completeness\n'
  }
  const isOpen = ({ state }: Gap): boolean => state === 'open'
  const ordered = [...gaps.filter(isOpen), ...gaps.filter((gap) => !isOpen(gap))]
  return `${tableText(COLUMNS, ordered, screen)}\n${summaryText(summary)}${
    has_more ? `Only ${count} of them are shown; --limit, --until and --after show others.\n` : ''
  }`
}

function summaryText({ total, states, seconds, lost, healed, uncounted, incomplete }: Gaps['summary']): string {
  const byState = Object.entries(states).map(([state, count]) => `${count} ${state}`)
  const ids = `${lost} ids missed, ${healed} of them fetched`
  const unknown = uncounted > 0 ? `; not countable in ${uncounted}` : ''
  return `Gaps: ${total} (${byState.join(', ')}), ${secondsText(seconds)} s together; ${ids}${unknown}.
${incomplete === 0 ? 'None leaves anything missing.' : `Something is missing by ${incomplete} of them.`}
`
}

/** `marketprism health`: how well the service that this configuration describes does its job. For health checks of containers too. */

import { Command } from 'commander'
import { z } from 'zod'
import { addConfigFlags, configFromFlags } from './config.ts'
import { EXIT } from './exit.ts'
import { baseUrl, fetchDocument } from './running-service.ts'
import { type Column, type Screen, screenOf, tableText } from './table.ts'

/** A check of a container must be over before its own time limit. */
const TIMEOUT_MS = 5_000
/** Addresses to listen on that nobody can ask. */
const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

const documentSchema = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  checks: z.record(z.string(), z.object({ status: z.enum(['pass', 'warn', 'fail']), result: z.string() })),
})
type HealthDocument = z.output<typeof documentSchema>
interface Row {
  readonly name: string
  readonly status: string
  readonly result: string
}

const COLUMNS: readonly Column<Row>[] = [
  {
    head: 'STATUS',
    text: ({ status }) => status,
    colour: ({ status }) => (status === 'fail' ? 'red' : status === 'warn' ? 'yellow' : 'green'),
  },
  { head: 'CHECK', text: ({ name }) => name },
  { head: 'RESULT', text: ({ result }) => result },
]

export function healthCommand(): Command {
  const command = new Command('health')
    .description('ask a running service how well it does its job')
    .option('--url <url>', 'where it answers; else as the configuration says')
    .option('--json', 'print JSON', false)
    .option('--all', 'also print the checks that pass', false)
  return addConfigFlags(command)
    .addHelpText(
      'after',
      `
Exit status ${EXIT.ok}: healthy or degraded; ${EXIT.unavailable}: unhealthy, or no answer within ${TIMEOUT_MS / 1000} s.

Examples:
  marketprism health
  marketprism health --url http://data-collector:8084 --all`,
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      const base = typeof flags.url === 'string' ? baseUrl(flags.url) : ownUrl(flags)
      const document = await fetchDocument(base, '/health', { headers: {}, timeoutMs: TIMEOUT_MS }, documentSchema)
      const text = flags.json === true ? `${JSON.stringify(document, null, 2)}\n` : undefined
      process.stdout.write(text ?? healthText(document, flags.all === true, screenOf(process.stdout)))
      if (document.status === 'unhealthy') process.exitCode = EXIT.unavailable
    })
}

/** Where the service of this configuration answers, seen from its own machine. */
function ownUrl(flags: Readonly<Record<string, unknown>>): string {
  const { host, port } = configFromFlags(flags).config.api
  const address = ANY_ADDRESS[host] ?? host
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** The answer as a person reads it: what does not pass, or everything. */
export function healthText({ status, checks }: HealthDocument, isAll: boolean, screen: Screen): string {
  const rows = Object.entries(checks).map(([name, check]) => ({ name, ...check }))
  const shown = rows.filter((row) => isAll || row.status !== 'pass')
  const passing = rows.filter((row) => row.status === 'pass').length
  const summary = `${status}: ${passing} of ${rows.length} checks pass\n`
  return shown.length === 0 ? summary : `${tableText(COLUMNS, shown, screen)}\n${summary}`
}

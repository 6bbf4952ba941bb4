/** `marketprism doctor`: is everything there that the service needs? */

import { Command } from 'commander'
import { requireWithinLimits } from '../collector/plan.ts'
import { examine } from '../doctor/doctor.ts'
import type { Finding } from '../doctor/finding.ts'
import { visible } from '../ops/log-pretty.ts'
import { systemPlatform } from '../platform/system.ts'
import { venues } from '../venues/index.ts'
import { addConfigFlags, configFromFlags } from './config.ts'
import { EXIT } from './exit.ts'
import { secondsUpTo } from './seconds.ts'
import { paint, type Screen, screenOf } from './table.ts'

const CHECK_WIDTH = 30
const SECONDS_MAX = 300
const COLOUR = { ok: 'green', warn: 'yellow', fail: 'red' } as const

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('check venues, clock, limits, streams, disk, NATS, ClickHouse and configuration; says what to do')
    .option('--listen <seconds>', 'how long each stream may take for its first message', secondsUpTo(SECONDS_MAX), 10)
    .option('--json', 'print JSON', false)
  return addConfigFlags(command)
    .addHelpText(
      'after',
      `
Nothing is changed; may run beside the service. Each venue gets one request for its instruments and one connection an
endpoint, with one symbol.

Exit status ${EXIT.ok}: nothing fails (warnings may be there), ${EXIT.failed}: something fails, ${EXIT.config}: the configuration is invalid.

Examples:
  marketprism doctor
  marketprism doctor -c /etc/marketprism --json | jq '.findings[] | select(.status != "ok")'`,
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      const loaded = configFromFlags(flags)
      requireWithinLimits(loaded.config, venues)
      const listenMs = (flags.listen as number) * 1000
      const screen = screenOf(process.stdout)
      const findings: Finding[] = []
      for await (const finding of examine({ loaded, venues, platform: systemPlatform(), listenMs })) {
        findings.push(finding)
        if (flags.json !== true) process.stdout.write(findingText(finding, screen))
      }
      process.stdout.write(flags.json === true ? jsonText(findings) : `\n${summaryText(findings)}\n`)
      // What is left of connections must not keep it from ending.
      process.exit(findings.some(({ status }) => status === 'fail') ? EXIT.failed : EXIT.ok)
    })
}

/** `ok    okx rest    12 of 12 symbols listed`, and below it what to do. */
export function findingText({ check, status, found, advice }: Finding, screen: Screen): string {
  const mark = paint(status.padEnd('fail'.length), COLOUR[status], screen)
  const line = `${mark}  ${visible(check).padEnd(CHECK_WIDTH)}  ${visible(found)}\n`
  return advice === undefined ? line : `${line}${' '.repeat(6)}${''.padEnd(CHECK_WIDTH)}  -> ${visible(advice)}\n`
}

const countOf = (findings: readonly Finding[], wanted: Finding['status']): number =>
  findings.filter(({ status }) => status === wanted).length

const summaryText = (findings: readonly Finding[]): string =>
  `${countOf(findings, 'ok')} ok, ${countOf(findings, 'warn')} warnings, ${countOf(findings, 'fail')} failures`

const jsonText = (findings: readonly Finding[]): string =>
  `${JSON.stringify({ isHealthy: countOf(findings, 'fail') === 0, findings }, null, 2)}\n`

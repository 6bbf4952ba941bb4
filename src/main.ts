#!/usr/bin/env node
/** argv -> command -> exit status. */

import { Command, CommanderError } from 'commander'
import { EXIT } from './cli/exit.ts'
import { commands } from './cli/index.ts'
import { endWithoutOutput } from './cli/output.ts'
import { type ErrorCode, errorText, PrismError } from './model/errors.ts'
import { keepHeapSmall } from './platform/heap.ts'
import { VERSION } from './platform/version.ts'

keepHeapSmall()
endWithoutOutput()

const EXIT_OF: Partial<Record<ErrorCode, number>> = {
  CONFIG_INVALID: EXIT.config,
  PORT_IN_USE: EXIT.portInUse,
  SPOOL_LOCKED: EXIT.locked,
  INVALID_PARAMETERS: EXIT.usage,
  NOT_FOUND: EXIT.usage,
  UNAUTHORIZED: EXIT.noPermission,
  SERVICE_UNAVAILABLE: EXIT.unavailable,
  COLLECTOR_NOT_INITIALIZED: EXIT.unavailable,
  RATE_LIMITED: EXIT.unavailable,
}

const program = new Command('marketprism')
  .description('Market data collector for Binance, OKX and Deribit.')
  .version(VERSION)
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  marketprism start                      collect and serve the API on http://127.0.0.1:8084
  marketprism demo                       the same on simulated exchanges, without a network
  marketprism normalize capture.jsonl.gz --books 20
  marketprism config                     every effective value and where it comes from
  marketprism plan                       what the configuration will cost
  marketprism doctor                     is everything there that it needs?
  marketprism top                        a running service, live in the terminal
  marketprism health                     how well a running service does, and every reason
  marketprism gaps --since 1h            what a running service may have missed
  marketprism completeness               how much of the last day it covers
  marketprism spool verify               what the durable log holds, and whether it is sound

Exit status: ${EXIT.ok} ok, ${EXIT.missing} something is missing (--fail) or fails (doctor), ${EXIT.usage} wrong usage, ${EXIT.badData} bad data (normalize, spool), ${EXIT.unavailable} no service answers,
${EXIT.internal} internal error, ${EXIT.locked} the log is in use, ${EXIT.output} output cannot be written, ${EXIT.noPermission} wrong token, ${EXIT.config} configuration error, ${EXIT.portInUse} port in use,
${EXIT.interrupted} second signal while stopping.`,
  )

for (const command of commands()) program.addCommand(command.exitOverride())

try {
  await program.parseAsync()
} catch (error) {
  // Not only the status is set: what a failed command has opened must not keep the process alive.
  process.exit(exitStatus(error))
}

function exitStatus(error: unknown): number {
  // Commander has printed its message already; showing help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  process.stderr.write(`${errorText(error)}\n`)
  if (!(error instanceof PrismError)) {
    if (error instanceof Error) process.stderr.write(`${error.stack}\n`)
    return EXIT.internal
  }
  return EXIT_OF[error.code] ?? EXIT.internal
}

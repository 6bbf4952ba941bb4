/** What happens when standard output takes nothing any more: a command ends, a service goes on. */

import { EXIT } from './exit.ts'

type OutputError = NodeJS.ErrnoException

/** For commands: what they print is what they are for. */
export function endWithoutOutput(): void {
  process.stdout.on('error', end)
}

/** For services, of which only the log stands there: a closed terminal or pipe, or a full disk, must not end them. */
export function goOnWithoutOutput(onLost: (error: OutputError) => void): void {
  process.stdout.off('error', end)
  process.stdout.once('error', onLost)
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
}

function end(error: OutputError): never {
  // A reader that went away (`| head -1`) is no error.
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
  process.stderr.write(`cannot write to standard output: ${error.message}\n`)
  process.exit(EXIT.output)
}

/** Runs the service until a signal ends it. Shared by `start` and `demo`. */

import { DataCollectorService } from '../collector/service.ts'
import type { LoadedConfig } from '../ops/config.ts'
import type { Platform } from '../platform/platform.ts'
import { EXIT } from './exit.ts'
import { goOnWithoutOutput } from './output.ts'

export interface RunOptions {
  /** Reads the configuration: now, and again at each SIGHUP. Errors: throws PrismError CONFIG_INVALID. */
  readonly load: () => LoadedConfig
  readonly platform: Platform
  /** Called with the API's address when the service has started. */
  readonly onStart?: (url: string) => void
  /** Called when the service has stopped. */
  readonly onStop?: () => Promise<void>
}

/**
 * Starts the service; resolves when it has stopped. SIGTERM and SIGINT stop it in order, also while it is starting; a
 * second signal ends the process at once. SIGHUP reads the configuration again; on Windows it means that the console was
 * closed, and is left alone.
 * A bug that escapes (uncaught exception, unhandled rejection) is logged and ends the process with {@link EXIT.internal}.
 * Errors: CONFIG_INVALID, PORT_IN_USE.
 */
export async function runService(options: RunOptions): Promise<void> {
  const { load, platform, onStart = () => {}, onStop = async () => {} } = options
  const service = new DataCollectorService({ loaded: load(), platform, output: process.stdout })
  goOnWithoutOutput(({ message }) =>
    service.logger.warning('output_lost', 'the log cannot be written to standard output any more', { reason: message }),
  )
  const die = (kind: string) => (error: unknown) => {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    service.logger.error(kind, 'a bug ended the process; please report it', { stack })
    process.exit(EXIT.internal)
  }
  process.on('uncaughtException', die('uncaught_exception'))
  process.on('unhandledRejection', die('unhandled_rejection'))
  const starting = service.start()
  const ended = new Promise<void>((resolve) => {
    let isStopping = false
    const stop = (signal: NodeJS.Signals) => {
      if (isStopping) process.exit(EXIT.interrupted)
      isStopping = true
      void service.stop(signal).then(onStop).then(resolve)
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
  const reload = () => {
    void starting.then(
      () => service.reload(load),
      () => {},
    )
  }
  if (process.platform !== 'win32') process.on('SIGHUP', reload)
  await Promise.race([starting.then(onStart), ended])
  await ended
}

/** Runs the service until a signal ends it. Shared by `start` and `demo`. */

import { DataCollectorService } from '../collector/service.ts'
import type { LoadedConfig } from '../ops/config.ts'
import type { Platform } from '../platform/platform.ts'
import { EXIT } from './exit.ts'

export interface Running {
  readonly url: string
  /** Resolves when the service has stopped. */
  readonly ended: Promise<void>
}

/**
 * Starts the service. SIGTERM and SIGINT stop it in order; a second signal ends the process at once.
 * A bug that escapes (uncaught exception, unhandled rejection) is logged and ends the process with {@link EXIT.internal}.
 * Errors: PORT_IN_USE.
 */
export async function runService(
  loaded: LoadedConfig,
  platform: Platform,
  onStop: () => Promise<void> = async () => {},
): Promise<Running> {
  const service = new DataCollectorService({ loaded, platform, output: process.stdout })
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
      // A signal may come before the start is over; that a start failed is told by `starting`.
      const stopped = starting.then(
        () => service.stop(signal).then(onStop),
        () => {},
      )
      void stopped.then(resolve)
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
  return { url: await starting, ended }
}

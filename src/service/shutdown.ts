/** What SIGTERM and SIGINT do: stop in order once, at once when asked again, and never hang. */

import { errorText } from '../model/errors.ts'
import type { Clock } from '../platform/platform.ts'
import type { Logger } from './ports.ts'

/** Exit status of a signal that ends the process at once is this plus its number, as shells have it. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const
const SIGNAL_BASE = 128
/** Stopping failed or took too long: something accepted may not have been flushed. */
const STOP_FAILED = 70

type Signal = keyof typeof SIGNALS

/** `process`, as far as it is needed. */
export interface SignalSource {
  on(signal: Signal, listener: () => void): unknown
  off(signal: Signal, listener: () => void): unknown
}

export interface ShutdownOptions {
  readonly source: SignalSource
  readonly clock: Clock
  readonly logger: Logger
  readonly timeoutMs: number
  /** Stops everything in the order in which the data flow, and flushes what was accepted. */
  stop(): Promise<void>
  exit(status: number): void
}

/** Listens from now on; the result stops listening. Exit status 0: stopped in order. */
export function stopOnSignals({ source, clock, logger, timeoutMs, stop, exit }: ShutdownOptions): () => void {
  let isStopping = false
  const listeners = (Object.keys(SIGNALS) as Signal[]).map((signal) => ({ signal, listener: () => receive(signal) }))
  for (const { signal, listener } of listeners) source.on(signal, listener)
  return () => {
    for (const { signal, listener } of listeners) source.off(signal, listener)
  }

  function receive(signal: Signal): void {
    if (isStopping) {
      logger.warning('stop_forced', `${signal} again: exiting at once`)
      exit(SIGNAL_BASE + SIGNALS[signal])
      return
    }
    isStopping = true
    logger.info('stop_requested', `${signal}: stopping`, { timeout_ms: timeoutMs })
    const cancel = clock.after(timeoutMs, () => {
      logger.error('stop_timed_out', 'stopping takes too long: exiting', { timeout_ms: timeoutMs })
      exit(STOP_FAILED)
    })
    const end = (status: number) => {
      cancel()
      exit(status)
    }
    stop().then(
      () => end(0),
      (error: unknown) => {
        logger.error('stop_failed', errorText(error))
        end(STOP_FAILED)
      },
    )
  }
}

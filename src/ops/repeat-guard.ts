/** Keeps a repeating error from flooding the log: logged once, then counted, with a summary now and then. */

import type { Clock } from '../platform/platform.ts'
import type { LogFields, Logger } from './log.ts'

const INTERVAL_MS = 60_000
/** Different errors that are told apart; further ones share one count for each event. */
const KEYS_MAX = 1000

type Level = 'warning' | 'error'

interface Entry {
  readonly level: Level
  readonly event: string
  /** Of the newest one. */
  message: string
  fields: LogFields
  repeats: number
}

/** `key` tells errors of the same event apart: venue, channel, reason. Never a value from a frame. */
export interface RepeatGuard {
  warning(event: string, key: string, message: string, fields?: LogFields): void
  error(event: string, key: string, message: string, fields?: LogFields): void
  /** Writes the outstanding summaries and ends the timer. */
  stop(): void
}

/** Every `intervalMs` each error that repeated gets one line `repeated N times`; one that did not is forgotten. */
export function createRepeatGuard(options: {
  readonly logger: Logger
  readonly clock: Clock
  readonly intervalMs?: number
}): RepeatGuard {
  const { logger, clock, intervalMs = INTERVAL_MS } = options
  const entries = new Map<string, Entry>()

  const report =
    (level: Level) =>
    (event: string, key: string, message: string, fields: LogFields = {}) => {
      const exact = `${event}\n${key}`
      const id = entries.has(exact) || entries.size < KEYS_MAX ? exact : event
      const known = entries.get(id)
      if (known !== undefined) {
        known.message = message
        known.fields = fields
        known.repeats++
        return
      }
      entries.set(id, { level, event, message, fields, repeats: 0 })
      logger[level](event, message, fields)
    }
  const summarise = (): void => {
    for (const [id, entry] of entries) {
      if (entry.repeats === 0) entries.delete(id)
      else {
        const { level, event, message, fields, repeats } = entry
        logger[level](event, `${message} (repeated ${repeats === 1 ? 'once' : `${repeats} times`})`, {
          ...fields,
          repeats,
        })
        entry.repeats = 0
      }
    }
  }
  const stopTimer = clock.every(intervalMs, summarise)
  return {
    warning: report('warning'),
    error: report('error'),
    stop: () => {
      stopTimer()
      summarise()
    },
  }
}

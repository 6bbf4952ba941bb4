/** Structured log: one line of JSON (or of text for a terminal) for each thing that happened. */

import { pino } from 'pino'
import { errorText, PrismError } from '../model/errors.ts'
import { isoTime } from '../model/time.ts'
import type { Clock } from '../platform/platform.ts'
import { cleanFields, cleanText, escapeControls } from './log-fields.ts'
import { type LogFile, openLogFile } from './log-file.ts'
import { prettyLine } from './log-pretty.ts'
import { secretMask } from './secrets.ts'

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR'
/** Small, loggable facts, in the words of the metrics' labels: venue, channel, symbol, reason. */
export type LogFields = Readonly<Record<string, unknown>>

/** `event` is a snake_case name in the past tense (`book_resynced`); `message` is for people. */
export interface Logger {
  debug(event: string, message: string, fields?: LogFields): void
  info(event: string, message: string, fields?: LogFields): void
  warning(event: string, message: string, fields?: LogFields): void
  error(event: string, message: string, fields?: LogFields): void
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger
}

/** The logger that all others are children of. */
export interface RootLogger extends Logger {
  /** Lines that the log file could not take: disk full, folder gone. */
  readonly lostLines: number
  /** The least important level that is written from now on, by the children too. */
  setLevel(level: LogLevel): void
}

/** What the log needs of `process.stdout`. */
export interface LogOutput {
  readonly isTTY?: boolean
  write(text: string): unknown
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
}

export interface LogOptions {
  readonly service: string
  readonly environment: string
  /** The `log` part of the configuration. */
  readonly log: {
    readonly level: LogLevel
    readonly format: 'auto' | 'json' | 'pretty'
    readonly file?: string | undefined
    readonly file_bytes_max: number
    readonly file_count_max: number
  }
  readonly clock: Clock
  readonly output: LogOutput
  /** What no line may repeat. */
  readonly secrets?: readonly string[]
  /** Called with every line, as JSON. */
  readonly onLine?: (line: string) => void
}

const PINO_LEVEL = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const
const NAME: Readonly<Record<string, LogLevel>> = { debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR' }

/** Errors: throws PrismError CONFIG_INVALID when the log file cannot be opened. Writing itself never throws and never ends the process. */
export function createLogger(options: LogOptions): RootLogger {
  const { log, clock } = options
  const file = fileOf(log)
  const root = pino(
    {
      level: PINO_LEVEL[log.level],
      messageKey: 'message',
      base: { service: options.service, environment: options.environment },
      timestamp: () => `,"time":"${isoTime(clock.nowUs())}"`,
      formatters: { level: (label) => ({ level: NAME[label] ?? label }) },
    },
    { write: destination(options, file) },
  )
  return {
    ...wrap(root, root),
    setLevel(level) {
      root.level = PINO_LEVEL[level]
    },
    get lostLines() {
      return file?.lostLines ?? 0
    },
  }
}

function fileOf({ file: path, file_bytes_max: bytesMax, file_count_max: countMax }: LogOptions['log']) {
  if (path === undefined) return undefined
  try {
    return openLogFile({ path, bytesMax, countMax })
  } catch (error) {
    const cause = error instanceof Error && 'code' in error ? String(error.code) : errorText(error)
    const message = `log.file: cannot write ${path} (${cause}). Name a file that this user may write, or leave it out`
    throw new PrismError('CONFIG_INVALID', message, {}, { cause: error })
  }
}

/** The level of `root` decides. */
function wrap(target: pino.Logger, root: pino.Logger): Logger {
  const write = (level: (typeof PINO_LEVEL)[LogLevel]) => (event: string, message: string, fields?: LogFields) => {
    if (!root.isLevelEnabled(level)) return
    target[level]({ event, ...(fields === undefined ? {} : cleanFields(fields)) }, cleanText(message))
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warning: write('warn'),
    error: write('error'),
    child: (fields) => wrap(target.child(cleanFields(fields), { level: PINO_LEVEL.DEBUG }), root),
  }
}

/** A function that puts one line of JSON wherever it must go. */
function destination(options: LogOptions, file: LogFile | undefined): (line: string) => void {
  const { log, output, onLine, secrets = [] } = options
  const mask = secretMask(secrets)
  const isTerminal = output.isTTY === true
  const isPretty = log.format === 'pretty' || (log.format === 'auto' && isTerminal)
  let isOutputOpen = true
  output.on('error', () => {
    // The reader of a pipe went away (EPIPE). The service goes on, and so does the file.
    isOutputOpen = false
  })
  return (raw) => {
    const line = escapeControls(mask(raw))
    file?.write(line)
    onLine?.(line)
    if (!isOutputOpen) return
    try {
      output.write(isPretty ? prettyLine(line, isTerminal) : line)
    } catch {
      isOutputOpen = false
    }
  }
}

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warning: () => {},
  error: () => {},
  child: () => silentLogger,
}

/** One line of the log as people read it on a terminal. */

import type { LogLevel } from './log.ts'

const COLOUR: Readonly<Record<LogLevel, string>> = { DEBUG: '90', INFO: '36', WARNING: '33', ERROR: '31' }
const DIM = '2'
/** `2026-11-23T` is left out: a terminal shows now. */
const TIME_START = 11
const TIME_END = 26
const EVENT_WIDTH = 24

/** `17:14:25.066285 INFO    book_resynced  Book rebuilt after a gap  venue=okx symbol=BTC-USDT` */
export function prettyLine(line: string, hasColour: boolean): string {
  const { time, level, event, message, service: _, environment: __, ...fields } = JSON.parse(line)
  const paint = (code: string, text: string): string => (hasColour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const parts = [
    paint(DIM, String(time).slice(TIME_START, TIME_END)),
    paint(COLOUR[level as LogLevel] ?? DIM, String(level).padEnd(7)),
    visible(String(event)).padEnd(EVENT_WIDTH),
    visible(String(message)),
  ]
  const shown = Object.entries(fields).map(([key, value]) => `${visible(key)}=${fieldText(value)}`)
  if (shown.length > 0) parts.push(paint(DIM, shown.join(' ')))
  return `${parts.join(' ')}\n`
}

const fieldText = (value: unknown): string =>
  visible(typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value))

/** Control characters as `\u001b`, so that logged text cannot steer the terminal. */
export const visible = (text: string): string =>
  text.replace(
    /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

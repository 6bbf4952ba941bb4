import { isUnsignedDecimal } from './decimal.ts'
import type { EpochUs } from './event.ts'

/**
 * Microseconds since the epoch as the API writes every time: `2025-06-29T04:07:49.066285+00:00`.
 * Errors: throws a RangeError for values outside the calendar's range, as `Date` does.
 */
export function isoTime(timeUs: EpochUs): string {
  const wholeMs = Math.floor(timeUs / 1000)
  const micros = timeUs - wholeMs * 1000
  return `${new Date(wholeMs).toISOString().slice(0, 23)}${String(Math.floor(micros)).padStart(3, '0')}+00:00`
}

/** {@link isoTime}, or `null` for a time that is not known yet. */
export const isoTimeOrNull = (timeUs: EpochUs | undefined): string | null =>
  timeUs === undefined ? null : isoTime(timeUs)

/** Values above this are microseconds already (Binance with `timeUnit=MICROSECOND`); below, milliseconds. */
const MILLISECONDS_MAX = 1e14

/** A venue's epoch time in ms or µs, as number or digits, in microseconds; `undefined` if it is no time that an integer holds. */
export function epochUs(value: unknown): EpochUs | undefined {
  const number = typeof value === 'number' ? value : isUnsignedDecimal(value) ? Number(value) : Number.NaN
  const timeUs = Math.round(number > MILLISECONDS_MAX ? number : number * 1000)
  return timeUs > 0 && Number.isSafeInteger(timeUs) ? timeUs : undefined
}

/** Times and durations as people write them in a query: an ISO-8601 time with its offset, or how long ago. */

import type { EpochUs } from '../model/event.ts'

const UNIT_US: Readonly<Record<string, number>> = { s: 1e6, m: 60e6, h: 3_600e6, d: 86_400e6 }
const DURATION = /^(\d{1,6})([smhd])$/i
/** A `+` that was not encoded arrives as a space. */
const ISO_TIME = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+ -]\d\d:\d\d)$/i

/** `15m` in microseconds; `undefined` for anything but digits and one of s, m, h, d. */
export function durationUs(text: string): number | undefined {
  const [, digits, unit = ''] = DURATION.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits) * (UNIT_US[unit.toLowerCase()] ?? 0)
}

/** The moment that `text` names, never before the epoch; `undefined` if it names none. */
export function momentUs(text: string, nowUs: EpochUs): EpochUs | undefined {
  const agoUs = durationUs(text)
  return agoUs === undefined ? isoMomentUs(text) : Math.max(0, nowUs - agoUs)
}

function isoMomentUs(text: string): EpochUs | undefined {
  const [, date = '', minutes = '', seconds = '00', fraction = '', offset = ''] = ISO_TIME.exec(text) ?? []
  const local = `${date}T${minutes}:${seconds}`
  const wholeMs = Date.parse(local + offset.replace(' ', '+').toUpperCase())
  if (Number.isNaN(wholeMs) || wholeMs < 0 || !isOnCalendar(local)) return undefined
  return wholeMs * 1000 + Number(fraction.padEnd(6, '0'))
}

/** `Date` takes 30 February for 2 March. */
function isOnCalendar(local: string): boolean {
  const time = Date.parse(`${local}Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(local)
}

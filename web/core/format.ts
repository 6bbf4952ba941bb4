/** Numbers and times as people read them. Prices and quantities never pass through here: they keep the venue's digits. */

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const
const PPM = 1_000_000

/** `12,345`. */
export const whole = (value: number): string => WHOLE.format(value)

/** `12,345` up to a million, then `1.23 M`, `1.23 G`. */
export function compact(value: number): string {
  if (value < 1e6) return whole(value)
  return value < 1e9 ? `${(value / 1e6).toFixed(2)} M` : `${(value / 1e9).toFixed(2)} G`
}

/** `1 gap`, `2 gaps`. */
export const count = (value: number, name: string): string => `${whole(value)} ${name}${value === 1 ? '' : 's'}`

/** A rate: one decimal below a hundred. */
export const rate = (value: number): string => (value < 100 ? value.toFixed(1) : whole(value))

/** Milliseconds in the unit that fits: `85 µs`, `1.2 ms`, `120 ms`, `1.5 s`; a dash for nothing. */
export function latency(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–'
  if (ms === 0) return '0'
  if (ms < 1) return `${Math.round(ms * 1000)} µs`
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
  return `${(ms / 1000).toFixed(1)} s`
}

/** A length of time: `0.4 s`, `34 s`, `3 min 5 s`, `2 h 4 min`, `3 d 2 h`. */
export function duration(ms: number): string {
  const length = Math.max(0, ms)
  if (length < 10 * MS.second) return `${(length / MS.second).toFixed(1)} s`
  if (length < MS.minute) return `${Math.floor(length / MS.second)} s`
  if (length < MS.hour) return two(length, MS.minute, 'min', MS.second, 's')
  if (length < MS.day) return two(length, MS.hour, 'h', MS.minute, 'min')
  return two(length, MS.day, 'd', MS.hour, 'h')
}

/** {@link duration} in its largest unit alone. */
export const roughly = (ms: number): string => duration(ms).split(' ').slice(0, 2).join(' ')

function two(length: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((length % big) / small)
  return `${Math.floor(length / big)} ${bigName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`
}

/** `1.2 MiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let size = value
  let unit = 0
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit++
  }
  return `${unit === 0 || size >= 100 ? Math.floor(size) : size.toFixed(1)} ${units[unit]}`
}

/** A share of 0 to 1 in percent, cut and never rounded up: 100 % only when nothing is missing. */
export const share = (value: number | null): string => (value === null ? '–' : `${percent(value)} %`)

/** {@link share} without its sign. */
export function percent(value: number): string {
  const cut = Math.floor(value * PPM + 1e-6)
  return cut >= PPM ? '100' : (cut / (PPM / 100)).toFixed(4).replace(/0+$/, '').replace(/\.$/, '')
}

/** `14:03:22` in local time; a dash for nothing. */
export function timeOfDay(ms: number | undefined): string {
  return ms === undefined || !Number.isFinite(ms) ? '–' : new Date(ms).toTimeString().slice(0, 8)
}

/** `14:03:22.123` in local time. */
export const timeOfDayMs = (ms: number): string =>
  `${timeOfDay(ms)}.${String(Math.floor(((ms % 1000) + 1000) % 1000)).padStart(3, '0')}`

/** Milliseconds since the epoch of an API time; `undefined` for `null`. */
export const timeMs = (iso: string | null | undefined): number | undefined =>
  iso === null || iso === undefined ? undefined : Date.parse(iso)

/** A large sum of quantities, for reading only: four significant digits. */
export function quantity(value: number): string {
  if (value >= 1e6) return compact(value)
  if (value >= 1e4) return whole(value)
  return value === 0 ? '0' : String(Number(value.toPrecision(4)))
}

/** Tables for people: aligned, numbers to the right, cut to the terminal's width in the last column only. */

import { visible } from '../ops/log-pretty.ts'

export const COLOURS = { red: '31', green: '32', yellow: '33' } as const
type Colour = keyof typeof COLOURS

export interface Column<Row> {
  readonly head: string
  readonly text: (row: Row) => string
  readonly isNumber?: boolean
  readonly colour?: (row: Row) => Colour | undefined
}

/** Where the table is shown. */
export interface Screen {
  /** Columns of the terminal; `undefined`: nothing is cut. */
  readonly width: number | undefined
  readonly hasColour: boolean
}

const GUTTER = '  '
/** What stays of the last column, however narrow the terminal. */
const LAST_WIDTH_MIN = 12

export function tableText<Row>(columns: readonly Column<Row>[], rows: readonly Row[], screen: Screen): string {
  const cells = rows.map((row) => columns.map(({ text }) => visible(text(row))))
  const widths = columns.map(({ head }, at) => Math.max(head.length, ...cells.map((line) => lengthOf(line[at] ?? ''))))
  if (screen.width !== undefined) narrow(widths, screen.width)
  const clip = (text: string, at: number): string => {
    const width = widths[at] ?? 0
    const cut = lengthOf(text) > width ? `${[...text].slice(0, width - 1).join('')}…` : text
    const space = ' '.repeat(width - lengthOf(cut))
    return columns[at]?.isNumber === true ? space + cut : cut + space
  }
  const lines = cells.map((line, index) =>
    line.map((text, at) => paint(clip(text, at), columns[at]?.colour?.(rows[index] as Row), screen)),
  )
  const head = columns.map((column, at) => clip(column.head, at))
  return [head, ...lines].map((line) => `${line.join(GUTTER).trimEnd()}\n`).join('')
}

/** Takes what is too much from the last column. */
function narrow(widths: number[], screenWidth: number): void {
  const last = widths.length - 1
  const others = widths.slice(0, last).reduce((sum, width) => sum + width + GUTTER.length, 0)
  widths[last] = Math.min(widths[last] ?? 0, Math.max(LAST_WIDTH_MIN, screenWidth - others))
}

const lengthOf = (text: string): number => [...text].length

/** In a colour, where the screen has any. */
export const paint = (text: string, colour: Colour | undefined, { hasColour }: Screen): string =>
  colour === undefined || !hasColour ? text : `\u001b[${COLOURS[colour]}m${text}\u001b[0m`

/** The screen that standard output is; a file or a pipe has neither width nor colour. */
export const screenOf = ({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): Screen =>
  isTTY ? { width: columns, hasColour: true } : { width: undefined, hasColour: false }

/** `2026-11-23T11:59:30.000000+00:00` as `2026-11-23 11:59:30.000`. */
export const utcText = (iso: string | null): string => (iso === null ? '-' : iso.slice(0, 23).replace('T', ' '))

export const countText = (count: number | null): string => (count === null ? '-' : String(count))

export const secondsText = (seconds: number): string => seconds.toFixed(3)

const SI_STEP = 1000
const SI_PREFIXES = ['', 'k', 'M', 'G', 'T', 'P']

/** `12345678` as `12.3 M`: decimal prefixes, to be followed by a unit. */
export function siText(value: number): string {
  const power = Math.min(SI_PREFIXES.length - 1, Math.max(0, Math.floor(Math.log10(value) / 3)))
  const scaled = value / SI_STEP ** power
  const digits = scaled >= 100 || Number.isInteger(scaled) ? 0 : 1
  return `${scaled.toFixed(digits)} ${SI_PREFIXES[power]}`
}

/** The depth chart: how much can be bought or sold up to each price. Its sums are for looking at, not for trading. */

import type { LocalBook } from '../core/book.ts'
import { onResize, type Surface, surfaceOf } from '../core/canvas.ts'
import { byId, setText } from '../core/dom.ts'
import { quantity } from '../core/format.ts'
import { onFrame } from '../core/frame.ts'
import { ticks } from '../core/scale.ts'
import { colour, onTheme } from '../core/theme.ts'
import type { Level } from '../core/types.ts'

const PAD = { top: 8, right: 10, bottom: 18, left: 46 } as const
const LEVELS = 150
const REDRAW_MS = 250
/** Of the levels of a side. */
const REACH_SHARE = 0.75

interface Step {
  readonly price: number
  readonly sum: number
}

/** Cumulated quantities, the best price first. */
export function cumulate(levels: readonly Level[]): Step[] {
  let sum = 0
  return levels.slice(0, LEVELS).map(([price, amount]) => {
    sum += Number(amount)
    return { price: Number(price), sum }
  })
}

export function createDepth(book: () => LocalBook) {
  const canvas = byId('depth') as HTMLCanvasElement
  const draw = onFrame(() => {
    const surface = surfaceOf(canvas)
    if (surface !== undefined) paint(surface, cumulate(book().bids), cumulate(book().asks))
  }, REDRAW_MS)
  onResize(canvas, draw)
  onTheme(draw)
  return { draw }
}

function paint({ context, width, height }: Surface, bids: readonly Step[], asks: readonly Step[]): void {
  const [bid, ask] = [bids[0]?.price, asks[0]?.price]
  const note = byId('depth-note')
  if (bid === undefined || ask === undefined) {
    setText(note, '')
    return
  }
  const middle = (bid + ask) / 2
  const reach = reachOf([bids, asks], middle)
  const seen = [...bids, ...asks].filter(({ price }) => Math.abs(price - middle) <= reach)
  const marks = ticks(Math.max(...seen.map(({ sum }) => sum)), 4)
  const max = marks.at(-1) ?? 1
  const inner = { width: width - PAD.left - PAD.right, height: height - PAD.top - PAD.bottom }
  const x = (price: number): number => PAD.left + inner.width * (0.5 + (price - middle) / (2 * reach))
  const y = (sum: number): number => PAD.top + inner.height * (1 - sum / max)
  setText(note, `${Math.max(bids.length, asks.length)} levels a side, ±${((reach / middle) * 100).toPrecision(2)} %`)
  context.fillStyle = colour('--muted')
  context.strokeStyle = colour('--grid')
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  for (const mark of marks) {
    context.beginPath()
    context.moveTo(PAD.left, y(mark))
    context.lineTo(width - PAD.right, y(mark))
    context.stroke()
    context.fillText(quantity(mark), PAD.left - 6, y(mark))
  }
  context.textBaseline = 'alphabetic'
  const digits = Math.max(0, Math.min(8, Math.ceil(2 - Math.log10(reach))))
  for (const [price, align] of [
    [middle - reach, 'left'],
    [middle, 'center'],
    [middle + reach, 'right'],
  ] as const) {
    context.textAlign = align
    context.fillText(price.toFixed(digits), x(price), height - 4)
  }
  context.save()
  context.beginPath()
  context.rect(PAD.left, 0, inner.width, height)
  context.clip()
  area(context, bids, { x, y, floor: y(0), end: x(middle - reach), colour: '--bid' })
  area(context, asks, { x, y, floor: y(0), end: x(middle + reach), colour: '--ask' })
  context.restore()
}

/** How far from the middle the chart goes: lone levels far out must not press the rest into a line. */
export function reachOf(sides: readonly (readonly Step[])[], middle: number): number {
  const distances = sides.map((steps) =>
    Math.abs((steps[Math.floor(REACH_SHARE * (steps.length - 1))]?.price ?? middle) - middle),
  )
  return Math.max(...distances) || middle
}

interface AreaOptions {
  readonly x: (price: number) => number
  readonly y: (sum: number) => number
  readonly floor: number
  readonly end: number
  readonly colour: string
}

/** Steps: from each price on the sum counts until the next. */
function area(
  context: CanvasRenderingContext2D,
  steps: readonly Step[],
  { x, y, floor, end, colour: name }: AreaOptions,
): void {
  context.beginPath()
  let level = floor
  steps.forEach(({ price, sum }, index) => {
    if (index === 0) context.moveTo(x(price), floor)
    else context.lineTo(x(price), level)
    level = y(sum)
    context.lineTo(x(price), level)
  })
  context.lineTo(end, level)
  context.strokeStyle = colour(name)
  context.lineWidth = 1.8
  context.stroke()
  context.lineTo(end, floor)
  context.closePath()
  context.globalAlpha = 0.18
  context.fillStyle = colour(name)
  context.fill()
  context.globalAlpha = 1
  context.lineWidth = 1
}

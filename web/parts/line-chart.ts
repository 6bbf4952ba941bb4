/** Lines over time on a canvas, with a pointer that reads them. */

import { onResize, type Surface, surfaceOf } from '../core/canvas.ts'
import { timeOfDay } from '../core/format.ts'
import { onFrame } from '../core/frame.ts'
import { ticks } from '../core/scale.ts'
import { colour, onTheme } from '../core/theme.ts'

export interface Line {
  readonly colour: string
  readonly values: readonly (number | null)[]
  /** Drawn thin and dashed, behind the others. */
  readonly isFaint?: boolean
}

export interface ChartData {
  readonly timesMs: readonly number[]
  readonly lines: readonly Line[]
}

export interface LineChart {
  show(data: ChartData): void
}

const PAD = { top: 8, right: 10, bottom: 18, left: 46 } as const
const ROW_PX = 34
const TIME_PX = 90
const TIME_MARKS_MAX = 4

/** `format` writes the marks of the axis; `onPoint` is told which entry the pointer is at, `undefined` when it leaves. */
export function lineChart(
  canvas: HTMLCanvasElement,
  format: (value: number) => string,
  onPoint: (index: number | undefined) => void,
): LineChart {
  let data: ChartData = { timesMs: [], lines: [] }
  let pointed: number | undefined
  const draw = onFrame(() => {
    const surface = surfaceOf(canvas)
    if (surface !== undefined) paint(surface, data, format, pointed)
  })
  const point = (index: number | undefined): void => {
    if (index === pointed) return
    pointed = index
    onPoint(index)
    draw()
  }
  canvas.addEventListener('pointermove', ({ offsetX }) => {
    const share = (offsetX - PAD.left) / (canvas.clientWidth - PAD.left - PAD.right)
    const last = data.timesMs.length - 1
    point(last < 0 ? undefined : Math.max(0, Math.min(last, Math.round(share * last))))
  })
  canvas.addEventListener('pointerleave', () => point(undefined))
  onResize(canvas, draw)
  onTheme(draw)
  return {
    show(next) {
      data = next
      draw()
    },
  }
}

function paint(
  surface: Surface,
  data: ChartData,
  format: (value: number) => string,
  pointed: number | undefined,
): void {
  const { context, width, height } = surface
  const inner = { width: width - PAD.left - PAD.right, height: height - PAD.top - PAD.bottom }
  const top = Math.max(0, ...data.lines.flatMap(({ values }) => values.map((value) => value ?? 0)))
  const marks = ticks(top, Math.max(2, Math.floor(inner.height / ROW_PX)))
  const max = marks.at(-1) ?? 1
  const last = Math.max(1, data.timesMs.length - 1)
  const x = (index: number): number => PAD.left + (inner.width * index) / last
  const y = (value: number): number => PAD.top + inner.height * (1 - value / max)
  context.lineWidth = 1
  context.strokeStyle = colour('--grid')
  context.fillStyle = colour('--muted')
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  for (const mark of marks) {
    line(context, PAD.left, y(mark), width - PAD.right, y(mark))
    context.fillText(format(mark), PAD.left - 6, y(mark))
  }
  paintTimes(surface, data.timesMs, x)
  for (const each of data.lines.toSorted((a, b) => Number(b.isFaint ?? false) - Number(a.isFaint ?? false))) {
    paintLine(context, each, x, y)
  }
  if (pointed === undefined || pointed >= data.timesMs.length) return
  context.strokeStyle = colour('--muted')
  line(context, x(pointed), PAD.top, x(pointed), PAD.top + inner.height)
}

function paintTimes(
  { context, height, width }: Surface,
  timesMs: readonly number[],
  x: (index: number) => number,
): void {
  if (timesMs.length < 2) return
  context.textBaseline = 'alphabetic'
  const spanMs = (timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0)
  const length = spanMs < 5 * 60_000 ? 8 : 5
  const marks = Math.max(1, Math.min(TIME_MARKS_MAX, timesMs.length - 1, Math.floor(width / TIME_PX) - 1))
  for (let mark = 0; mark <= marks; mark++) {
    const index = Math.round(((timesMs.length - 1) * mark) / marks)
    context.textAlign = mark === 0 ? 'left' : mark === marks ? 'right' : 'center'
    context.fillText(timeOfDay(timesMs[index]).slice(0, length), x(index), height - 4)
  }
}

function paintLine(
  context: CanvasRenderingContext2D,
  { values, colour: name, isFaint = false }: Line,
  x: (index: number) => number,
  y: (value: number) => number,
): void {
  context.strokeStyle = colour(name)
  context.lineWidth = isFaint ? 1 : 1.8
  context.lineJoin = 'round'
  context.setLineDash(isFaint ? [3, 3] : [])
  context.beginPath()
  let isDown = false
  values.forEach((value, index) => {
    if (value === null) isDown = false
    else {
      if (isDown) context.lineTo(x(index), y(value))
      else context.moveTo(x(index), y(value))
      isDown = true
    }
  })
  context.stroke()
  context.setLineDash([])
}

function line(context: CanvasRenderingContext2D, fromX: number, fromY: number, toX: number, toY: number): void {
  context.beginPath()
  context.moveTo(Math.round(fromX) + 0.5, Math.round(fromY) + 0.5)
  context.lineTo(Math.round(toX) + 0.5, Math.round(toY) + 0.5)
  context.stroke()
}

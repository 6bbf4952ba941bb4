/** A canvas as large as its box, sharp on every screen. */
export interface Surface {
  readonly context: CanvasRenderingContext2D
  /** In CSS pixels. */
  readonly width: number
  readonly height: number
}

/** `undefined` while the canvas has no size, as in a part that is not shown. */
export function surfaceOf(canvas: HTMLCanvasElement): Surface | undefined {
  const { clientWidth: width, clientHeight: height } = canvas
  const context = canvas.getContext('2d')
  if (context === null || width === 0 || height === 0) return undefined
  const ratio = devicePixelRatio
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high })
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  context.font = '11px system-ui, sans-serif'
  return { context, width, height }
}

/** Calls `draw` whenever the canvas gets another size. */
export function onResize(canvas: HTMLCanvasElement, draw: () => void): void {
  new ResizeObserver(draw).observe(canvas)
}

/**
 * A function that asks for `draw` to run before the next frame, however often it is called; at most once in `everyMs`.
 * In a hidden tab nothing is drawn.
 */
export function onFrame(draw: () => void, everyMs = 0): () => void {
  let isAsked = false
  let lastMs = Number.NEGATIVE_INFINITY
  const run = (nowMs: number): void => {
    if (nowMs - lastMs < everyMs) {
      requestAnimationFrame(run)
      return
    }
    isAsked = false
    lastMs = nowMs
    draw()
  }
  return () => {
    if (isAsked) return
    isAsked = true
    requestAnimationFrame(run)
  }
}

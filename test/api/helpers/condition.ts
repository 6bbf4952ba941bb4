const PATIENCE_MS = 10_000
const LOOK_MS = 5

/** Waits for a condition, not for a time. Errors: after 10 s, naming what did not happen. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`did not happen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

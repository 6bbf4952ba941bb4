import type { Clock } from '../platform/platform.ts'

const WINDOW_MS = 1_000
/** Clients counted in one window; when there are more, new ones share one count. */
const CLIENTS_MAX = 10_000

/** True for at most `countMax` calls a client in each second. Forgets everything with the window, so it cannot grow. */
export function rateLimit(countMax: number, clock: Clock): (client: string) => boolean {
  const counts = new Map<string, number>()
  let windowStartMs = clock.monotonicMs()
  return (client) => {
    const nowMs = clock.monotonicMs()
    if (nowMs - windowStartMs >= WINDOW_MS) {
      counts.clear()
      windowStartMs = nowMs
    }
    const key = counts.has(client) || counts.size < CLIENTS_MAX ? client : ''
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count <= countMax
  }
}

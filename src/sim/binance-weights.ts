import type { Clock } from '../platform/platform.ts'
import type { ReportViolation, SimResponse } from './exchange.ts'

/** Requests that a client may send after a 429 before it is banned. The venue does not publish its own number. */
const IGNORED_MAX = 5
/** The first ban; each further one is twice as long, up to three days. */
const BAN_MS = 120_000
const BAN_MS_MAX = 3 * 86_400_000

export interface WeightOptions {
  readonly clock: Clock
  readonly windowMs: number
  readonly timeScale: number
  readonly violation: ReportViolation
  readonly texts: {
    limited(limit: number): string
    banned(untilMs: number): string
  }
}

/** The request weight that each client has used in the current minute, and what happens when it is too much. */
export interface Weights {
  limit: number
  /** Counts a request. `refusal`: the answer it gets instead of data. */
  take(client: string, weight: number): Taken
}

interface Taken {
  readonly used: number
  /** The venue's time. */
  readonly atMs: number
  readonly refusal: SimResponse | undefined
}

interface ClientState {
  window: number
  used: number
  ignored: number
  bans: number
  bannedUntilMs: number
}

export function createWeights(limit: number, options: WeightOptions): Weights {
  const { clock, violation, texts, timeScale } = options
  const windowMs = options.windowMs / timeScale
  const clients = new Map<string, ClientState>()

  function refuse(status: number, waitMs: number, msg: string): SimResponse {
    const headers = { 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))) }
    return { status, headers, body: JSON.stringify({ code: -1003, msg }) }
  }

  const weights: Weights = {
    limit,
    take(client, weight) {
      const now = clock.nowUs() / 1000
      const state = clients.get(client) ?? { window: 0, used: 0, ignored: 0, bans: 0, bannedUntilMs: 0 }
      clients.set(client, state)
      const told = (refusal?: SimResponse): Taken => ({ used: state.used, atMs: now, refusal })
      if (state.bannedUntilMs > now) {
        violation('request-while-banned', `${Math.ceil(state.bannedUntilMs - now)} ms before the ban ends`)
        return told(refuse(418, state.bannedUntilMs - now, texts.banned(state.bannedUntilMs)))
      }
      const window = Math.floor(now / windowMs)
      if (window !== state.window) Object.assign(state, { window, used: 0, ignored: 0 })
      state.used += weight
      if (state.used <= weights.limit) return told()
      violation('weight', `${state.used} of ${weights.limit} used`)
      if (state.ignored++ < IGNORED_MAX)
        return told(refuse(429, (window + 1) * windowMs - now, texts.limited(weights.limit)))
      const banMs = Math.min(BAN_MS_MAX, BAN_MS * 2 ** state.bans++) / timeScale
      state.bannedUntilMs = Math.ceil(now + banMs)
      return told(refuse(418, banMs, texts.banned(state.bannedUntilMs)))
    },
  }
  return weights
}

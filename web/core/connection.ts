/** What the page may say of its connection. Pure: times come from the caller. */

import { duration, timeOfDay } from './format.ts'
import type { Status } from './types.ts'

/** Without a record for so long, "live" would be a lie. */
const QUIET_MS = 10_000

export interface Facts {
  /** The last request for the status was answered; `undefined`: none has been yet. */
  readonly isReached: boolean | undefined
  readonly needsToken: boolean
  readonly isStreamOpen: boolean
  /** When the service last answered, this machine's clock. */
  readonly answeredMs: number | undefined
  /** When the next attempt is due, while it is not reached. */
  readonly retryMs: number | undefined
  readonly status: Status | undefined
  /** Now by the service's clock. */
  readonly serviceMs: number
  readonly nowMs: number
}

export type Tone = 'ok' | 'warn' | 'bad' | 'off'

export interface Words {
  readonly phase: 'connecting' | 'live' | 'limited' | 'lost' | 'token'
  readonly tone: Tone
  /** A few words. */
  readonly short: string
  /** A sentence for the banner; empty: there is none. */
  readonly long: string
}

export function describe(facts: Facts): Words {
  const { isReached, needsToken, status } = facts
  if (needsToken)
    return { phase: 'token', tone: 'warn', short: 'Token needed', long: 'The service asks for its token.' }
  if (isReached === undefined || (isReached && status === undefined))
    return { phase: 'connecting', tone: 'off', short: 'Connecting …', long: '' }
  if (!isReached) return lost(facts)
  return limited(facts, status as Status) ?? { phase: 'live', tone: 'ok', short: 'Live', long: '' }
}

function lost({ answeredMs, nowMs, retryMs }: Facts): Words {
  const again = retryMs === undefined || retryMs <= nowMs ? 'now' : `in ${Math.ceil((retryMs - nowMs) / 1000)} s`
  if (answeredMs === undefined) {
    const long = `The service does not answer. Trying again ${again}.`
    return { phase: 'lost', tone: 'bad', short: 'Disconnected', long }
  }
  const age = duration(nowMs - answeredMs)
  const long = `Everything below is from ${timeOfDay(answeredMs)}, ${age} ago. Trying again ${again}.`
  return { phase: 'lost', tone: 'bad', short: `Disconnected for ${age}`, long }
}

/** What stands between reached and live. */
function limited({ isStreamOpen, serviceMs }: Facts, status: Status): Words | undefined {
  const warn = (short: string, long: string): Words => ({ phase: 'limited', tone: 'warn', short, long })
  if (status.status === 'initializing') return warn('Starting', 'The service is starting; nothing is collected yet.')
  if (status.status === 'stopping') return warn('Stopping', 'The service is stopping.')
  const last = status.collection_stats.last_collection_time
  if (last === null) return warn('No data yet', 'The service runs, but no record has arrived since it started.')
  const quietMs = serviceMs - Date.parse(last)
  if (quietMs > QUIET_MS) {
    const long = `The service answers, but no record has arrived for ${duration(quietMs)}.`
    return warn(`No data for ${duration(quietMs)}`, long)
  }
  if (!isStreamOpen) return warn('Stream lost', 'The event stream is being opened again: books and trades stand still.')
  return undefined
}

import type { EpochUs, GapCause } from '../model/event.ts'
import type { Feed } from './feed.ts'

/** Why data of a feed may be missing, and since when. */
export interface Loss {
  readonly cause: GapCause
  /** Receive time of the last message that came for certain; `undefined`: none ever came. */
  readonly sinceUs: EpochUs | undefined
  readonly reason: string
}

/** The feed has been silent for too long. */
export const lossBySilence = ({ lastMessageUs, reason }: Feed, cause: GapCause = 'silence'): Loss => ({
  cause,
  sinceUs: lastMessageUs,
  reason,
})

/**
 * The feed's link has ended. A feed that was silent no longer than it often is was whole until the connection's last data
 * (`lastDataUs`); one that was silent for unusually long may have been dead since its own last message.
 */
export function lossByEnd(
  feed: Feed,
  { cause, reason }: Pick<Loss, 'cause' | 'reason'>,
  lastDataUs: EpochUs | undefined,
  nowMs: number,
): Loss {
  const isUsual = feed.silence.isUsual(nowMs)
  return { cause, reason, sinceUs: isUsual ? (lastDataUs ?? feed.lastMessageUs) : feed.lastMessageUs }
}

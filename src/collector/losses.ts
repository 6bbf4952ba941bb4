/** What the log or a sink has lost for good, as gaps. */

import type { Stretch } from '../ledger/completeness.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { StreamIdentity } from '../ledger/records.ts'
import type { EpochUs, GapCause } from '../model/event.ts'
import { feedOf, routeOf } from '../sinks/route.ts'
import type { LogRecord } from '../spool/frame.ts'
import type { Loss, LossCause } from '../spool/loss.ts'

const CAUSES: Readonly<Record<LossCause, GapCause>> = {
  evicted: 'log_full',
  refused: 'log_full',
  corrupt: 'log_spoilt',
  missing: 'log_spoilt',
}

const WORDS: Readonly<Record<LossCause, string>> = {
  evicted: 'given up for lack of room',
  refused: 'not taken for lack of room',
  corrupt: 'spoilt on the disk',
  missing: 'not on the disk any more',
}

type LackLedger = Pick<Ledger, 'lack' | 'flush'> &
  Iterable<{ readonly stream: StreamIdentity; readonly isCollected: boolean; readonly stretches: readonly Stretch[] }>

/** Gaps of all streams that the loss may concern; durable when it returns, with one sync for all. */
export function lackLoss(ledger: LackLedger, { cause, streams, sinks, sinceUs }: Loss, nowUs: EpochUs): void {
  const reason = `${WORDS[cause]}${sinks.length === 0 ? '' : `; for ${sinks.join(', ')}`}`
  const what = { cause: CAUSES[cause], reason }
  for (const { stream, records, firstTimeUs, lastTimeUs } of streams) {
    const feed = feedOf(routeOf(stream))
    if (feed !== undefined) ledger.lack(feed, { ...what, startUs: firstTimeUs }, { endUs: lastTimeUs, lost: records })
  }
  if (streams.length === 0) {
    // Nobody can tell which: any that is collected.
    for (const { stream, isCollected, stretches } of ledger) {
      // A store has a clock of its own. Where nothing says since when, it may be all that was ever collected.
      const startUs = Math.min(nowUs, Math.max(sinceUs ?? 0, stretches[0]?.fromUs ?? 0))
      if (isCollected) ledger.lack(stream, { ...what, startUs }, { endUs: nowUs })
    }
  }
  ledger.flush()
}

/** The sink refused one record for good; its gap is durable when it returns. */
export function lackRecord(ledger: LackLedger, sink: string, { stream, timeUs }: LogRecord, reason: string): void {
  const feed = feedOf(routeOf(stream))
  if (feed === undefined) return
  ledger.lack(feed, { cause: 'rejected', startUs: timeUs, reason: `${sink}: ${reason}` }, { endUs: timeUs, lost: 1 })
  ledger.flush()
}

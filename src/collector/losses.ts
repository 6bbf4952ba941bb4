/** What the log or a sink has lost for good, as gaps. */

import type { Stretch } from '../ledger/completeness.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { type StreamIdentity, type StreamName, streamKey } from '../ledger/records.ts'
import type { EpochUs, GapCause } from '../model/event.ts'
import { feedOf, routeOf } from '../sinks/route.ts'
import type { LogRecord } from '../spool/frame.ts'
import type { Loss, LossCause, StreamLoss } from '../spool/loss.ts'

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
export function lackLoss(ledger: LackLedger, loss: Loss, nowUs: EpochUs): void {
  const { cause, streams, sinks, sinceUs, outage, isOngoing = false } = loss
  const reason = `${WORDS[cause]}${sinks.length === 0 ? '' : `; for ${sinks.join(', ')}`}`
  const what = { cause: CAUSES[cause], reason }
  for (const { feed, records, firstTimeUs, lastTimeUs } of ofFeeds(streams))
    ledger.lack(
      feed,
      { ...what, startUs: firstTimeUs },
      isOngoing ? undefined : { endUs: lastTimeUs, lost: records },
      outage,
    )
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

/** A feed may have several streams in the log; what it lost is one. */
function ofFeeds(streams: readonly StreamLoss[]) {
  const feeds = new Map<string, Omit<StreamLoss, 'stream'> & { readonly feed: StreamName }>()
  for (const { stream, ...loss } of streams) {
    const feed = feedOf(routeOf(stream))
    if (feed === undefined) continue
    const { records, firstTimeUs, lastTimeUs } = feeds.get(streamKey(feed)) ?? { ...loss, records: 0 }
    feeds.set(streamKey(feed), {
      feed,
      records: records + loss.records,
      firstTimeUs: Math.min(firstTimeUs, loss.firstTimeUs),
      lastTimeUs: Math.max(lastTimeUs, loss.lastTimeUs),
    })
  }
  return feeds.values()
}

/** The sink refused one record for good; its gap is durable when it returns. */
export function lackRecord(ledger: LackLedger, sink: string, { stream, timeUs }: LogRecord, reason: string): void {
  const feed = feedOf(routeOf(stream))
  if (feed === undefined) return
  ledger.lack(feed, { cause: 'rejected', startUs: timeUs, reason: `${sink}: ${reason}` }, { endUs: timeUs, lost: 1 })
  ledger.flush()
}

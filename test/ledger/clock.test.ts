/** Gaps of one stream whose clock was set back between two processes. */

import { describe, expect, test } from 'vitest'
import { FeedLedger } from '../../src/ledger/feed-ledger.ts'
import { openGap, type StreamIdentity } from '../../src/ledger/records.ts'

const SECOND_US = 1_000_000
const NOW_US = 1_000 * SECOND_US
const STREAM: StreamIdentity = {
  exchange: 'x',
  venue: 'x',
  channel: 'ticker',
  symbol: 'A',
  market: 'spot',
  proof: 'cadence',
}

/** The process before ended a gap at `endUs`. */
function restarted(endUs: number): FeedLedger {
  const ledger = new FeedLedger(STREAM, {
    nowUs: () => NOW_US,
    nextGapId: () => 'now',
    record: () => {},
    stretched: () => {},
  })
  const gap = openGap(STREAM, 'before', { cause: 'disconnect', startUs: endUs - SECOND_US }, endUs)
  ledger.restore({ ...gap, state: 'closed', end_time_us: endUs })
  return ledger
}

const MINUTE_AGO_US = NOW_US - 60 * SECOND_US
const loss = { cause: 'sequence_gap', startUs: MINUTE_AGO_US } as const

describe('a gap', () => {
  test('has its length, though the one before it ends ahead of the clock', () => {
    const endUs = NOW_US + 3_600 * SECOND_US
    expect(restarted(endUs).lose(loss, { endUs: NOW_US })).toMatchObject({
      start_time_us: MINUTE_AGO_US,
      end_time_us: NOW_US,
    })
    const ledger = restarted(endUs)
    ledger.begin(loss)
    expect(ledger.outage?.start_time_us).toBe(MINUTE_AGO_US)
  })

  test('begins behind the one before it, which ended by the same clock', () => {
    const endUs = NOW_US - 20 * SECOND_US
    expect(restarted(endUs).lose(loss, { endUs: NOW_US })).toMatchObject({ start_time_us: endUs, end_time_us: NOW_US })
    const ledger = restarted(endUs)
    ledger.begin(loss)
    expect(ledger.outage?.start_time_us).toBe(endUs)
  })
})

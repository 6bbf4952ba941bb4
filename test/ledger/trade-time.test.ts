/** The newest time of a stream's trades, of which a venue may name one that cannot be. */

import { expect, test } from 'vitest'
import { FeedLedger } from '../../src/ledger/feed-ledger.ts'

const NOW_US = 1_795_392_000_000_000
const DAY_US = 86_400_000_000
const YEAR_US = 365 * DAY_US

const stream = {
  exchange: 'x',
  venue: 'x',
  channel: 'trade',
  symbol: 'AB',
  market: 'spot',
  proof: 'counter',
} as const

const ledgerOf = () =>
  new FeedLedger(stream, { nowUs: () => NOW_US, nextGapId: () => '1', record() {}, stretched() {} })

const earlier = { stream, stretches: [], lastUs: NOW_US - 5_000_000, lastSequence: 10, epoch: 0, missing: [] }

test.each([
  ['a usual one stands', NOW_US - 4_000_000, NOW_US - 4_000_000],
  ['that of a venue whose clock is ahead of ours stands', NOW_US + DAY_US, NOW_US + DAY_US],
  ['one from the future gives way to the last message', NOW_US + YEAR_US, NOW_US - 5_000_000],
])('taken up from an earlier process: %s', (_name, newestTradeUs, expected) => {
  const ledger = ledgerOf()
  ledger.takeUp({ ...earlier, newestTradeUs })
  expect(ledger.newestTradeUs).toBe(expected)
})

test('what an earlier process delivered with a time from the future was made when it came', () => {
  const ledger = ledgerOf()
  ledger.takeUp({ ...earlier, newestTradeUs: NOW_US - 5_000_000 })
  const trade = (number: number, tradeUs: number) =>
    ledger.replay({ span: { first: number, last: number }, receiveUs: NOW_US - 4_000_000 + number, tradeUs })
  trade(11, NOW_US + YEAR_US)
  expect(ledger.newestTradeUs).toBe(NOW_US - 4_000_000 + 11)
  trade(12, NOW_US - 3_000_000)
  expect(ledger.newestTradeUs).toBe(NOW_US - 3_000_000)
})

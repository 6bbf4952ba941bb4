import { expect, test } from 'vitest'
import { bookRecord, bookSchema } from '../../src/api/records.ts'
import type { BookView } from '../../src/api/view.ts'

const view: BookView = {
  venue: 'toy',
  symbol: 'BTC-USDT',
  market: 'spot',
  instrument: undefined,
  state: 'live',
  reason: 'snapshot',
  sequence: 7,
  bids: [['99.50', '1']],
  asks: [['101', '2']],
  exchangeTimeUs: undefined,
  receiveTimeUs: undefined,
}

test('an order book says how far out each side is known, in the venue’s digits; null is the whole side', () => {
  const record = bookSchema.parse(bookRecord({ ...view, bidsKnownTo: '98.10' }))
  expect([record.bids_known_to, record.asks_known_to]).toEqual(['98.10', null])
})

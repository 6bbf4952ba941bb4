/** What the log tells a new process of the last one. */

import { expect, test } from 'vitest'
import { replayLog } from '../../src/collector/replay.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { MarketEvent } from '../../src/model/event.ts'
import type { Spool } from '../../src/spool/spool.ts'
import { venues } from '../../src/venues/index.ts'
import { createWorld } from '../helpers/world.ts'

const TIME_US = 1_795_392_000_000_000
const quote = (venue: string, symbol: string, id: string) => ({
  type: 'quote',
  exchange: venue,
  venue,
  market: 'spot',
  symbol,
  id,
  sequence: 23_157,
})

/** A log with one record. */
function logOf(event: object): Spool {
  const reader = {
    nextLsn: 1,
    read() {
      this.nextLsn = 2
      return Promise.resolve([{ lsn: 1, timeUs: TIME_US, body: Buffer.from(JSON.stringify(event)) }])
    },
  }
  return { recovery: { lastLsn: 1 }, oldestLsn: 1, reader: () => reader } as unknown as Spool
}

test.each([
  ['counts: it stands at the number', 'binance', 'BTCUSDT', 'binance:quote:BTCUSDT:0:23157', 23_157],
  [
    'has times instead: nobody will say that it goes on',
    'okx',
    'BTC-USDT',
    `okx:quote:BTC-USDT:${TIME_US}:a`,
    undefined,
  ],
])('a quote of a venue that %s', async (_what, venue, symbol, id, expected) => {
  const { files, clock } = createWorld()
  const ledger = new Ledger({ folder: 'ledger', files, clock, emit: () => {}, onProblem: () => {} })
  const feed = ledger.stream({ exchange: venue, venue, channel: 'quote', symbol, market: 'spot', proof: 'cadence' })
  await ledger.load()
  ledger.replayAfterLsn = 0
  const seen: MarketEvent[] = []
  expect(await replayLog(logOf(quote(venue, symbol, id)), ledger, venues, (event) => seen.push(event))).toBe(1)
  expect(feed.lastSequence).toBe(expected)
  expect(seen).toHaveLength(1)
})

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BookDelta, BookSnapshot, MarketEvent } from '../../../src/model/event.ts'
import { type ClickHouse, clickhouseMissing, freshDatabase, startClickHouse } from '../../helpers/clickhouse-server.ts'
import { gap, NOON_US, quote, trade } from './events.ts'
import { batchOf, recordsOf, rigOf } from './rig.ts'

if (clickhouseMissing) process.stderr.write(`The views of ClickHouse are not tested: ${clickhouseMissing}.\n`)

const SECOND = 1_000_000
const DAY = 86_400 * SECOND
/** 2026-11-20T00:00:00Z: days that are over. */
const MIDNIGHT_US = NOON_US - DAY * 9 - DAY / 2

const snapshot: BookSnapshot = {
  type: 'book_snapshot',
  exchange: 'okx',
  venue: 'okx',
  market: 'spot',
  symbol: 'BTC-USDT',
  exchange_time_us: NOON_US,
  id: 'okx:book_snapshot:BTC-USDT:0:100',
  sequence: 100,
  bids: [
    ['99.5', '2'],
    ['99', '0.1'],
  ],
  asks: [['100.1', '3']],
}

const delta = (last_sequence: number, bids: BookDelta['bids'], asks: BookDelta['asks']): BookDelta => ({
  type: 'book_delta',
  exchange: 'okx',
  venue: 'okx',
  market: 'spot',
  symbol: 'BTC-USDT',
  exchange_time_us: NOON_US + last_sequence,
  id: `okx:book_delta:BTC-USDT:0:${last_sequence}`,
  bids,
  asks,
  last_sequence,
})

describe.skipIf(clickhouseMissing !== undefined)('the views', () => {
  const database = freshDatabase()
  let clickhouse: ClickHouse

  beforeAll(async () => {
    clickhouse = await startClickHouse()
    const tradeAt = (n: number, offsetUs: number, price: string, quantity: string, side: 'buy' | 'sell' = 'buy') =>
      trade(n, { exchange_time_us: NOON_US + offsetUs, price, quantity, side })
    const events: MarketEvent[] = [
      // Two trades of one time: the number tells which is the last, not the text (9 < 10).
      tradeAt(10, 59 * SECOND, '101.000000000000000001', '1'),
      tradeAt(9, 59 * SECOND, '150', '0.5', 'sell'),
      tradeAt(1, 0, '100', '0.1'),
      tradeAt(5, 30 * SECOND, '90', '0.2'),
      tradeAt(11, 60 * SECOND, '102', '7'),
      // Called alike on another venue.
      trade(1, { id: 'x:1', exchange: 'x', venue: 'x', price: '200', quantity: '1' }),
      quote(1),
      quote(2, { bid_price: undefined }),
      snapshot,
      delta(101, [['99.5', '0']], [['100.2', '1']]),
      delta(102, [['99.4', '9']], [['100.2', '0.5']]),
      delta(103, [['99', '0']], []),
      gap('over', 1, { start_time_us: MIDNIGHT_US - 60 * SECOND }),
      gap('over', 2, {
        start_time_us: MIDNIGHT_US - 60 * SECOND,
        end_time_us: MIDNIGHT_US + 30 * SECOND,
        lost: 7,
        healed: 2,
        state: 'final',
      }),
      // Overlaps the one before by ten seconds.
      gap('next', 1, {
        start_time_us: MIDNIGHT_US + 20 * SECOND,
        end_time_us: MIDNIGHT_US + 40 * SECOND,
        state: 'closed',
      }),
      gap('healed', 1, {
        start_time_us: MIDNIGHT_US,
        end_time_us: MIDNIGHT_US + 1000 * SECOND,
        state: 'healed',
        lost: 3,
        healed: 3,
      }),
    ]
    events.push(
      gap('unfetched', 1, {
        start_time_us: MIDNIGHT_US + 3 * DAY,
        end_time_us: MIDNIGHT_US + 3 * DAY + SECOND,
        state: 'final',
        lost: 9,
      }),
    )
    // A connection was lost, and the numbers went on: no id is missing.
    events.push(
      gap('nothing', 1, {
        start_time_us: MIDNIGHT_US + 2 * DAY,
        end_time_us: MIDNIGHT_US + 2 * DAY + 100 * SECOND,
        state: 'closed',
        lost: 0,
      }),
    )
    for (let n = 2; n <= 10; n++)
      events.push(
        gap('many', n, {
          start_time_us: MIDNIGHT_US + DAY,
          state: n === 10 ? 'closed' : 'open',
          end_time_us: MIDNIGHT_US + DAY + n * SECOND,
        }),
      )
    // By two collectors: nothing may count twice.
    for (const logId of ['a', 'b']) {
      const { sink } = rigOf({ url: clickhouse.url, database }, logId)
      await sink.open()
      await sink.write(batchOf(recordsOf(events)))
      await sink.close()
    }
  })
  afterAll(async () => {
    await clickhouse?.query(`DROP DATABASE ${database}`)
    await clickhouse?.stop()
  })

  const rows = async (sql: string) => (await clickhouse.query(sql.replaceAll('@', `${database}.`))).trim().split('\n')

  test('ohlcv_1m is exact, and counts each trade once', async () => {
    const columns = 'minute, open, high, low, close, volume, buy_volume, turnover, trades'
    expect(await rows(`SELECT ${columns} FROM @ohlcv_1m WHERE venue = 'okx' ORDER BY minute`)).toEqual([
      '2026-11-29 12:00:00\t100\t150\t90\t101.000000000000000001\t1.8\t1.3\t204.000000000000000001\t4',
      '2026-11-29 12:01:00\t102\t102\t102\t102\t7\t7\t714\t1',
    ])
  })

  test('spread has the quotes with both sides', async () => {
    expect(await rows('SELECT bid_price, ask_price, spread, round(spread_bps, 4) FROM @spread')).toEqual([
      '99.5\t100.25\t0.75\t75.0939',
    ])
  })

  test('depth sums up the levels', async () => {
    const columns = 'bid_price, ask_price, bid_levels, ask_levels, bid_quantity, ask_quantity, bid_value, ask_value'
    expect(await rows(`SELECT ${columns} FROM @depth`)).toEqual(['99.5\t100.1\t2\t1\t2.1\t3\t208.9\t300.3'])
  })

  test('gaps has the newest change of each, the tenth after the ninth', async () => {
    expect(await rows('SELECT gap_id, revision, state FROM @gaps ORDER BY gap_id')).toEqual([
      'healed\t1\thealed',
      'many\t10\tclosed',
      'next\t1\tclosed',
      'nothing\t1\tclosed',
      'over\t2\tfinal',
      'unfetched\t1\tfinal',
    ])
    expect(await rows('SELECT count() FROM @gap FINAL'), 'no change is lost').toEqual(['15'])
  })

  test('completeness splits gaps by day, counts overlaps once, and not those in which nothing is missing', async () => {
    const columns = 'day, gaps, open_gaps, lost, healed, missing_seconds, round(completeness, 7)'
    expect(await rows(`SELECT ${columns} FROM @completeness ORDER BY day`)).toEqual([
      '2026-11-19\t1\t0\t7\t2\t60\t0.9993056',
      '2026-11-20\t3\t0\t10\t5\t40\t0.999537',
      '2026-11-21\t1\t0\t0\t0\t10\t0.9998843',
      '2026-11-22\t1\t0\t0\t0\t0\t1',
      '2026-11-23\t1\t0\t9\t0\t1\t0.9999884',
    ])
  })

  test("completeness bears an open gap that begins days after the server's time", async () => {
    const { sink } = rigOf({ url: clickhouse.url, database })
    await sink.open()
    const start_time_us = Date.now() * 1000 + 3 * DAY
    await sink.write(batchOf(recordsOf([gap('ahead', 1, { symbol: 'AHEAD', start_time_us })], 100)))
    await sink.close()
    expect(await rows("SELECT open_gaps, missing_seconds FROM @completeness WHERE symbol = 'AHEAD'")).toEqual(['1\t0'])
  })

  describe('the queries of docs/CLICKHOUSE.md', () => {
    const page = readFileSync(new URL('../../../docs/CLICKHOUSE.md', import.meta.url), 'utf8')
    const block = /## Queries[\s\S]*?```sql\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
    const queries = block
      .split(';')
      .map((text) => text.trim())
      .filter((text) => text !== '')
    const here = (text: string) =>
      text
        .replaceAll('marketprism.', `${database}.`)
        .replaceAll("'binance'", "'okx'")
        .replaceAll("'BTCUSDT'", "'BTC-USDT'")
    const query = (words: string) => here(queries.find((text) => text.includes(words)) ?? '')

    test.each(queries.map((text) => [text.split('\n')[0], text] as const))('runs: %s', async (_, text) => {
      await expect(clickhouse.query(here(text))).resolves.toBeTypeOf('string')
    })

    test('the book is rebuilt from its snapshot and the changes since', async () => {
      const text = query('The book of one instrument').replace('73904310000', '102')
      expect(await rows(text)).toEqual(['ask\t100.1\t3', 'ask\t100.2\t0.5', 'bid\t99\t0.1', 'bid\t99.4\t9'])
    })

    test('trades are missing in every gap but those that are healed or lack none', async () => {
      const missing = await rows(`SELECT missing FROM (${query('Minutes that may lack')}) WHERE symbol = 'BTC-USDT'`)
      expect(missing).toEqual(['5', '\\N', '\\N', '9'])
    })

    test('the value traded is that of one instrument, not of all that are called alike', async () => {
      const text = query('Value traded').replaceAll(/now\(\) - INTERVAL \d HOUR/g, "'2026-11-29 00:00:00'")
      const traded = await rows(`SELECT turnover FROM (${text}) WHERE symbol = 'BTC-USDT' ORDER BY turnover`)
      expect(traded).toEqual(['200', '918.000000000000000001'])
    })

    test('a trade is joined with the quote before it', async () => {
      const text = query('as-of join').replaceAll(/now\(\) - INTERVAL \d HOUR/g, "'2026-11-29 00:00:00'")
      const joined = await rows(`SELECT countIf(ask_price = 100.25), count() FROM (${text})`)
      expect(joined).toEqual(['4\t6'])
    })
  })
})

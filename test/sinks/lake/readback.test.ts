/** What was received is what DuckDB reads, digit by digit. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { MarketEvent } from '../../../src/model/event.ts'
import { hasDuckDb, query } from './duckdb.ts'
import { eventOf, expectedRow, selection, TYPES } from './events.ts'
import { batchOf, DAY_US, realLake, recordsOf, TIME_US, trade } from './rig.ts'

const base = mkdtempSync(join(tmpdir(), 'lake-'))
afterAll(() => rmSync(base, { recursive: true }))
let folders = 0
const nextDir = () => join(base, String(++folders))

/** By symbol, venue, market, time and the order in which they were received. */
function inOrder(events: readonly MarketEvent[]): MarketEvent[] {
  const key = ({ symbol, venue, market }: MarketEvent) => [symbol, `${venue} ${market}`].join('\0')
  const time = (event: MarketEvent) => event.exchange_time_us ?? event.receive_time_us ?? TIME_US
  const compare = (a: MarketEvent, b: MarketEvent) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : time(a) - time(b))
  return [...events].sort(compare)
}

describe.skipIf(!hasDuckDb)('DuckDB', () => {
  test.each(TYPES)('reads every digit, time and text of %s, sorted', async (type) => {
    await fc.assert(
      fc.asyncProperty(fc.array(eventOf(type), { minLength: 1, maxLength: 60 }), async (events) => {
        const dir = nextDir()
        const { sink, rejected } = realLake({ dir })
        await sink.open()
        await sink.write(batchOf(recordsOf(events), 7))
        await sink.close()
        expect(rejected).toEqual([])
        const rows = await query(`SELECT ${selection(type)} FROM '${dir}/type=${type}/exchange=*/*/*.parquet'`)
        expect(rows).toEqual(inOrder(events).map(expectedRow))
      }),
      { numRuns: 25 },
    )
  })

  test('reads large books and many rows: several pages, several row groups, dictionaries and none', async () => {
    const dir = nextDir()
    const { sink } = realLake({ dir })
    await sink.open()
    const trades = Array.from({ length: 130_000 }, (_, i) =>
      trade(i, {
        symbol: `S${i % 3}`,
        price: i % 3 === 0 ? `${i}.5` : '7.25',
        trade_id: i % 5 === 0 ? undefined : String(i),
      }),
    )
    const levels = (n: number) => Array.from({ length: n }, (_, i) => [`${i}.25`, `0.${i}1`] as const)
    const books = Array.from({ length: 300 }, (_, i) => {
      const { trade_id, price, quantity, side, source, ...common } = trade(i)
      const depth = i % 7 === 0 ? 0 : i * 20
      return { ...common, type: 'book_snapshot', bids: levels(depth), asks: levels(i), sequence: i } as const
    })
    await sink.write(batchOf(recordsOf([...trades, ...books]), 512))
    const [sums] = await query(
      `SELECT count(*) n, sum(price) p, count(trade_id) ids, count(DISTINCT id) d FROM '${dir}/type=trade/**/*.parquet'`,
    )
    let expected = 0
    for (let i = 0; i < 130_000; i++) expected += i % 3 === 0 ? i + 0.5 : 7.25
    expect(sums).toEqual({
      n: '130000',
      p: `${expected.toFixed(2).padEnd(String(expected).length + 18, '0')}`.replace(
        /\.(\d+)$/,
        (_, f) => `.${f.slice(0, 18).padEnd(18, '0')}`,
      ),
      ids: '104000',
      d: '130000',
    })
    const [groups] = await query(
      `SELECT count(DISTINCT row_group_id) n FROM parquet_metadata('${dir}/type=trade/**/*.parquet')`,
    )
    expect(Number(groups?.n)).toBeGreaterThan(1)
    const rows = await query(
      `SELECT sequence, len(bids) b, len(asks) a, bids[-1].price worst FROM '${dir}/type=book_snapshot/**/*.parquet' ORDER BY sequence`,
    )
    expect(rows).toEqual(
      books.map(({ bids, asks, sequence }) => ({
        sequence: String(sequence),
        b: String(bids.length),
        a: String(asks.length),
        worst: bids.length === 0 ? null : `${bids.length - 1}.250000000000000000`,
      })),
    )
  })

  test('finds type, exchange and date in the path, and passes over what statistics exclude', async () => {
    const dir = nextDir()
    const { sink } = realLake({ dir })
    await sink.open()
    const negative = trade(1, { price: '-5', symbol: 'AAA' })
    const events = [trade(0), negative, trade(2, { exchange_time_us: TIME_US - DAY_US, price: '3' })]
    await sink.write(batchOf(recordsOf(events)))
    const from = `read_parquet('${dir}/**/*.parquet', hive_partitioning = true)`
    expect(
      await query(`SELECT type, exchange, date::VARCHAR AS date, count(*) n FROM ${from} GROUP BY ALL ORDER BY date`),
    ).toEqual([
      { type: 'trade', exchange: 'binance', date: '2026-11-22', n: '1' },
      { type: 'trade', exchange: 'binance', date: '2026-11-23', n: '2' },
    ])
    const below = (price: string) => query(`SELECT symbol FROM ${from} WHERE price < ${price}`)
    expect(await below('-4.5')).toEqual([{ symbol: 'AAA' }])
    expect(await below('-5')).toEqual([])
    expect(await query(`SELECT count(*) n FROM ${from} WHERE price > 95000 AND symbol = 'BTCUSDT'`)).toEqual([
      { n: '1' },
    ])
    const statistics = await query(
      `SELECT path_in_schema AS name, stats_min_value AS min, stats_max_value AS max, stats_null_count AS nulls
       FROM parquet_metadata('${dir}/type=trade/exchange=binance/date=2026-11-23/*.parquet')`,
    )
    expect(statistics).toEqual(
      expect.arrayContaining([
        { name: 'symbol', min: 'AAA', max: 'BTCUSDT', nulls: '0' },
        { name: 'price', min: '-5.000000000000000000', max: '95000.100000000000000000', nulls: '0' },
        { name: 'exchange_time', min: '2026-11-23 00:00:00+00', max: '2026-11-23 00:00:00.000001+00', nulls: '0' },
        { name: 'iv', min: null, max: null, nulls: '2' },
      ]),
    )
  })

  test('with a glob, while the collector writes, sees whole files only', async () => {
    const dir = nextDir()
    const { sink } = realLake({ dir })
    await sink.open()
    await sink.write(batchOf(recordsOf([trade(0)])))
    let isWriting = true
    const writes = (async () => {
      for (let n = 0; n < 30; n++) {
        const events = Array.from({ length: 1000 }, (_, i) => trade(1 + n * 1000 + i))
        await sink.write(batchOf(recordsOf(events, 2 + n * 1000)))
      }
      isWriting = false
    })()
    let seen = 1
    while (isWriting) {
      const [row] = await query(`SELECT count(*) n, count(DISTINCT id) d FROM '${dir}/**/*.parquet'`)
      expect(row?.n).toBe(row?.d)
      expect((Number(row?.n) - 1) % 1000).toBe(0)
      expect(Number(row?.n)).toBeGreaterThanOrEqual(seen)
      seen = Number(row?.n)
    }
    await writes
    expect(await query(`SELECT count(*) n FROM '${dir}/**/*.parquet'`)).toEqual([{ n: '30001' }])
  })
})

/** The SQL of docs/LAKE.md is what DuckDB understands, and finds what is there. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openGap, revise, type StreamIdentity } from '../../../src/ledger/records.ts'
import type { Gap, MarketEvent } from '../../../src/model/event.ts'
import { hasDuckDb, query } from './duckdb.ts'
import { batchOf, realLake, recordsOf, TIME_US, trade } from './rig.ts'

const base = mkdtempSync(join(tmpdir(), 'lake-'))
afterAll(() => rmSync(base, { recursive: true }))

const page = readFileSync(new URL('../../../docs/LAKE.md', import.meta.url), 'utf8')
const examples = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql = '']) =>
  sql
    .replaceAll('data/lake', join(base, 'lake'))
    .replaceAll("'trades-2026-11-29.parquet'", `'${join(base, 'copy.parquet')}'`)
    .replaceAll('2026-11-29', '2026-11-23'),
)

describe.skipIf(!hasDuckDb)('an example of docs/LAKE.md', () => {
  beforeAll(async () => {
    const { trade_id, price, quantity, side, source, ...common } = trade(5)
    const book: MarketEvent = { ...common, type: 'book_delta', bids: [['95000.1', '2']], asks: [], last_sequence: 7 }
    const stream: StreamIdentity = { ...common, channel: 'trade', proof: 'counter' }
    const opened = openGap(stream, 'g1', { cause: 'disconnect', startUs: TIME_US }, TIME_US)
    const changes: MarketEvent[] = [opened]
    for (let n = 2; n <= 10; n++) changes.push(revise(changes.at(-1) as Gap, { state: n === 10 ? 'healed' : 'open' }))
    const sameTime = { exchange_time_us: TIME_US }
    const trades = [trade(10, { ...sameTime, price: '12' }), trade(9, { ...sameTime, price: '13' })]
    const other = trade(11, { venue: 'binance-usdm', market: 'perpetual', price: '500', id: 'binance-usdm:11' })
    const { sink } = realLake({ dir: join(base, 'lake') })
    await sink.open()
    await sink.write(batchOf(recordsOf([...trades, other, book, ...changes])))
  })

  test('all are found', () => expect(examples).toHaveLength(4))

  test.each(examples)('%s', async (sql) => {
    await expect(query(sql)).resolves.not.toEqual([])
  })

  const rowsOf = (words: string) => query(examples.find((sql) => sql.includes(words)) ?? '')

  test('candles: one for each venue, its trades of one time in the order of their numbers', async () => {
    expect(await rowsOf('time_bucket')).toMatchObject([
      {
        venue: 'binance',
        open: '13.000000000000000000',
        close: '12.000000000000000000',
        volume: '0.002000000000000000',
      },
      { venue: 'binance-usdm', open: '500.000000000000000000', volume: '0.001000000000000000' },
    ])
  })

  test('gaps: the newest state, the tenth after the ninth', async () => {
    expect(await rowsOf('Where may trades be missing?')).toMatchObject([{ symbol: 'BTCUSDT', state: 'healed' }])
  })
})

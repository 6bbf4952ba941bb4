/** The SQL of docs/LAKE.md is what DuckDB understands, and finds what is there. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MarketEvent } from '../../../src/model/event.ts'
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
    const gap: MarketEvent = {
      ...common,
      type: 'gap',
      channel: 'trade',
      gap_id: 'g1',
      cause: 'disconnect',
      state: 'healed',
      start_time_us: TIME_US,
      detected_time_us: TIME_US,
    }
    const { sink } = realLake({ dir: join(base, 'lake') })
    await sink.open()
    await sink.write(batchOf(recordsOf([trade(1), trade(2), book, gap])))
  })

  test('all are found', () => expect(examples).toHaveLength(4))

  test.each(examples)('%s', async (sql) => {
    expect(await query(sql)).toHaveLength(1)
  })
})

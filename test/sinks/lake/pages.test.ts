/** The heads of pages: some readers go by them (ClickHouse), others never look (DuckDB), so they are checked one by one. */

import { parquetMetadata } from 'hyparquet'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import { expect, test } from 'vitest'
import type { MarketEvent } from '../../../src/model/event.ts'
import { files, Machine } from './machine.ts'
import { batchOf, recordsOf, trade } from './rig.ts'

const DICTIONARY_PAGE = 2
const DATA_PAGE_V2 = 3

interface Page {
  readonly values: number
  readonly nulls: number
  readonly rows: number
}

/** The data pages of each column of the first row group, by its name. */
async function pagesOf(events: readonly MarketEvent[]): Promise<ReadonlyMap<string, readonly Page[]>> {
  const machine = new Machine()
  await machine.open()
  await machine.write(batchOf(recordsOf(events)))
  const [text = ''] = files(machine.disk).values()
  const { buffer } = new Uint8Array(Buffer.from(text, 'latin1'))
  const pages = new Map<string, Page[]>()
  for (const { meta_data } of parquetMetadata(buffer).row_groups[0]?.columns ?? []) {
    if (meta_data === undefined) continue
    const { dictionary_page_offset, data_page_offset, total_compressed_size, path_in_schema } = meta_data
    const start = Number(dictionary_page_offset ?? data_page_offset)
    const end = start + Number(total_compressed_size)
    const found: Page[] = []
    const reader = { view: new DataView(buffer), offset: start }
    while (reader.offset < end) {
      const head = deserializeTCompactProtocol(reader)
      reader.offset += head.field_3
      if (head.field_1 === DICTIONARY_PAGE) continue
      expect(head.field_1).toBe(DATA_PAGE_V2)
      found.push({ values: head.field_8.field_1, nulls: head.field_8.field_2, rows: head.field_8.field_3 })
    }
    expect(reader.offset, 'pages fill the column').toBe(end)
    pages.set(path_in_schema.join('.'), found)
  }
  return pages
}

const sum = (pages: readonly Page[] | undefined, key: keyof Page) =>
  pages?.reduce((total, page) => total + page[key], 0)

test('tell rows, values and absent values, however many pages there are', async () => {
  const rows = 20_000
  const pages = await pagesOf(
    Array.from({ length: rows }, (_, i) =>
      trade(i, {
        sequence: i % 2 === 0 ? i : undefined,
        iv: i > 5000 && i < 15_000 ? '0.5' : undefined,
        first_trade_id: i === 19_000 ? 'x' : undefined,
      }),
    ),
  )
  const absent: Readonly<Record<string, number>> = {
    sequence: rows / 2,
    iv: rows - 9999,
    first_trade_id: rows - 1,
    last_trade_id: rows,
    liquidation: rows,
    block: rows,
    order_type: rows,
    exact: rows,
  }
  for (const [name, found] of pages) {
    expect(sum(found, 'rows'), name).toBe(rows)
    expect(sum(found, 'values'), name).toBe(rows)
    expect(sum(found, 'nulls'), name).toBe(absent[name] ?? 0)
  }
  expect(pages.get('id')?.length).toBe(5)
  expect(pages.get('iv')?.length).toBe(3)
})

test('begin with a row: the levels of a book are in one page', async () => {
  const { trade_id, price, quantity, side, source, ...common } = trade(1)
  const level = (i: number) => [`${i}.5`, '1'] as const
  const books = [3000, 3000, 0, 9000, 1].map((depth, i): MarketEvent => {
    const bids = Array.from({ length: depth }, (_, n) => level(n))
    return { ...common, id: String(i), type: 'book_snapshot', bids, asks: [] }
  })
  const pages = await pagesOf(books)
  expect(pages.get('bids.list.element.price')).toEqual([
    { values: 6000, nulls: 0, rows: 2 },
    { values: 9001, nulls: 1, rows: 2 },
    { values: 1, nulls: 0, rows: 1 },
  ])
  expect(sum(pages.get('asks.list.element.price'), 'rows')).toBe(5)
})

/** What becomes of a batch: places, order, and records that are no rows. */

import { parquetMetadata } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import type { MarketEvent } from '../../../src/model/event.ts'
import { CODEC } from '../../../src/sinks/lake/codec.ts'
import { LAKE_COLUMNS } from '../../../src/sinks/lake/columns.ts'
import { lakeTraits } from '../../../src/sinks/lake/options.ts'
import type { LogRecord } from '../../../src/spool/frame.ts'
import { TYPES } from './events.ts'
import { files, LAKE, Machine } from './machine.ts'
import { batchOf, DAY_US, recordOf, recordsOf, TIME_US, trade } from './rig.ts'

async function written(records: readonly LogRecord[]): Promise<Machine> {
  const machine = new Machine()
  await machine.open()
  await machine.write(batchOf(records))
  return machine
}

const folders = ({ disk }: Machine) =>
  [...files(disk).keys()].map((path) => path.slice(LAKE.length + 1, path.lastIndexOf('/')))

function metadata({ disk }: Machine, part = '') {
  const [, text = ''] = [...files(disk)].find(([path]) => path.includes(part)) ?? []
  const bytes = Buffer.from(text, 'latin1')
  return parquetMetadata(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

describe('a row is in the folder of', () => {
  const dateOf = async (exchangeTimeUs: number | undefined, receiveTimeUs = TIME_US) => {
    const event = trade(1, { exchange_time_us: exchangeTimeUs, receive_time_us: receiveTimeUs })
    return folders(await written([recordOf(event, 1)])).map((folder) => folder.split('date=')[1])
  }

  test('the day on which it happened, so that what is fetched later is where it is looked for', async () => {
    expect(await dateOf(TIME_US)).toEqual(['2026-11-23'])
    expect(await dateOf(TIME_US - 1)).toEqual(['2026-11-22'])
    expect(await dateOf(TIME_US - 30 * DAY_US)).toEqual(['2026-10-24'])
    expect(await dateOf(TIME_US + DAY_US)).toEqual(['2026-11-24'])
  })

  test('the day on which it was received when it has no time, or one that cannot be', async () => {
    expect(await dateOf(undefined, TIME_US - 1)).toEqual(['2026-11-22'])
    for (const time of [0, TIME_US - 31 * DAY_US, TIME_US + 2 * DAY_US, Number.MAX_SAFE_INTEGER]) {
      expect(await dateOf(time), String(time)).toEqual(['2026-11-23'])
    }
  })

  test('its type and exchange, whatever signs the name of the exchange has', async () => {
    const event = (exchange: string): MarketEvent => trade(1, { exchange })
    const machine = await written(recordsOf([event('okx'), event('../..'), event('a/b*?'), event('x=y')]))
    expect(folders(machine)).toEqual([
      'type=trade/exchange=%2E%2E%2F%2E%2E/date=2026-11-23',
      'type=trade/exchange=a%2Fb%2A%3F/date=2026-11-23',
      'type=trade/exchange=okx/date=2026-11-23',
      'type=trade/exchange=x%3Dy/date=2026-11-23',
    ])
  })
})

test('a file is compressed, sorted by symbol, and says which records of which log it has', async () => {
  const events = [trade(3, { symbol: 'B' }), trade(2, { symbol: 'A' }), trade(1, { symbol: 'B' })]
  const { row_groups, key_value_metadata, num_rows, created_by } = metadata(await written(recordsOf(events, 7)))
  expect(num_rows).toBe(3n)
  expect(created_by).toBe('marketprism')
  expect(key_value_metadata).toEqual([
    { key: 'log', value: 'log-a.1' },
    { key: 'first_lsn', value: '7' },
    { key: 'last_lsn', value: '9' },
  ])
  expect(row_groups).toHaveLength(1)
  expect(row_groups[0]?.sorting_columns).toEqual([{ column_idx: 0, descending: false, nulls_first: false }])
  const columns = row_groups[0]?.columns.map(({ meta_data }) => meta_data) ?? []
  expect(new Set(columns.map((column) => column?.codec))).toEqual(new Set([CODEC]))
  const symbol = columns.find((column) => column?.path_in_schema[0] === 'symbol')
  expect(symbol).toMatchObject({ encodings: ['PLAIN', 'RLE_DICTIONARY'] })
  expect(symbol?.statistics).toMatchObject({ min_value: 'A', max_value: 'B', null_count: 0n })
})

test('limits of text that is not ASCII are left out: Parquet orders it by other rules than this language', async () => {
  const statistics = async (...ids: string[]) => {
    const { row_groups } = metadata(await written(recordsOf(ids.map((id) => trade(1, { id })))))
    return row_groups[0]?.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === 'id')?.meta_data?.statistics
  }
  expect(await statistics('a', '\uffff', '😀')).toMatchObject({ null_count: 0n, min_value: undefined })
  expect(await statistics('b', 'a')).toMatchObject({ min_value: 'a', max_value: 'b' })
})

describe('a record that is no row', () => {
  const good = trade(1)
  const { price, ...priceless } = good
  const body = (record: LogRecord, text: string): LogRecord => ({ ...record, body: Buffer.from(text) })
  const poison: readonly [string, LogRecord, string][] = [
    ['no JSON', body(recordOf(good, 2), '{"type":"trade"'), 'no JSON: '],
    ['null', body(recordOf(good, 2), 'null'), 'the event is not one of its stream'],
    [
      'of another type',
      body(recordOf(good, 2), JSON.stringify({ ...good, type: 'quote' })),
      'the event is not one of its stream',
    ],
    [
      'of another symbol',
      body(recordOf(good, 2), JSON.stringify({ ...good, symbol: 'Z' })),
      'the event is not one of its stream',
    ],
    ['of no type that is known', { ...recordOf(good, 2), stream: 'candle okx okx spot X' }, "no table for 'candle'"],
    [
      'without a price',
      body(recordOf(good, 2), JSON.stringify(priceless)),
      'price: expected a decimal as text, got nothing',
    ],
    [
      'with a float',
      body(recordOf(good, 2), JSON.stringify({ ...good, price: 1.5 })),
      'price: expected a decimal as text, got 1.5',
    ],
    ['with an exponent', recordOf({ ...good, price: '1e5' }, 2), 'price: expected a decimal as text, got "1e5"'],
    [
      'with half a microsecond',
      recordOf({ ...good, receive_time_us: 0.5 }, 2),
      'receive_time_us: expected whole microseconds, got 0.5',
    ],
    [
      'with a null',
      body(recordOf(good, 2), JSON.stringify({ ...good, iv: null })),
      'iv: expected a decimal as text, got null',
    ],
  ]
  test.each(poison)('%s is refused with a reason, and the rest is stored', async (_name, record, reason) => {
    const machine = await written([recordOf(good, 1), record, recordOf(good, 3)])
    expect(machine.lake.rejected).toEqual([{ lsn: 2, reason: expect.stringContaining(reason) }])
    expect(machine.lake.sink.counts).toMatchObject({ rows: 2, files: 1 })
    expect(metadata(machine).num_rows).toBe(2n)
  })

  test('leaves nothing of itself in the columns: book levels that end in an error', async () => {
    const book = (index: number, bids: unknown): LogRecord => {
      const { trade_id, price, quantity, side, source, ...common } = trade(index)
      return recordOf({ ...common, type: 'book_delta', bids, asks: [] } as unknown as MarketEvent, index)
    }
    const machine = await written([
      book(1, [['1', '2']]),
      book(2, [['1', '2'], ['1']]),
      book(3, [
        ['1', '2'],
        ['1', 'x'],
      ]),
      book(4, 'none'),
      book(5, []),
    ])
    expect(machine.lake.rejected).toEqual([
      { lsn: 2, reason: 'bids: expected levels of price and quantity, got ["1"]' },
      { lsn: 3, reason: 'bids: expected a decimal as text, got "x"' },
      { lsn: 4, reason: 'bids: expected a list of levels, got "none"' },
    ])
    expect(metadata(machine).num_rows).toBe(2n)
  })

  test('alone makes no file, and nothing is left of it', async () => {
    const machine = await written([body(recordOf(good, 1), 'x')])
    expect(machine.disk.paths).toEqual([])
  })
})

test('a crash of another collector leaves files that this one does not touch', async () => {
  const machine = new Machine()
  const own = `${LAKE}/.unfinished/log-a%2E1-x`
  const foreign = `${LAKE}/.unfinished/log-b-x`
  machine.disk.put(own, Buffer.from('x'))
  machine.disk.put(foreign, Buffer.from('x'))
  await machine.open()
  expect(machine.unfinished).toEqual([foreign])
})

test('every type has its columns, time and symbol among them, and names say no units that the type says', () => {
  expect(TYPES).toHaveLength(8)
  for (const type of TYPES) {
    const names = LAKE_COLUMNS[type].map(({ name }) => name)
    expect(names[0], 'what rows are sorted by is the first column').toBe('symbol')
    expect(names).toEqual(expect.arrayContaining(['venue', 'exchange_time', 'receive_time', 'id']))
    expect(names.filter((name) => name.endsWith('_us'))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
  }
})

test('is fed in batches whose bounds are kept, one at a time', () => {
  const options = { dir: LAKE, bytesMax: 0, keepDays: 0, batchBytes: 1000, batchAgeMs: 300 }
  expect(lakeTraits(options)).toMatchObject({ bytesMax: 1000, ageMs: 300, batchesMax: 1, hasFixedBatches: true })
})

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MarketEvent } from '../../../src/model/event.ts'
import { type Column, EVENT_TYPES, fieldsOf } from '../../../src/sinks/clickhouse/columns.ts'
import { keptAs } from '../../../src/sinks/clickhouse/schema.ts'
import { type ClickHouse, clickhouseMissing, freshDatabase, startClickHouse } from '../../helpers/clickhouse-server.ts'
import { anyEvent, decimals, plain, plainDecimal, trade } from './events.ts'
import { batchOf, type Rig, recordsOf, rigOf } from './rig.ts'

if (clickhouseMissing) process.stderr.write(`Digits read back from ClickHouse are not tested: ${clickhouseMissing}.\n`)

const EVENTS = 150

/** A column as text that {@link plain} makes too. */
function readable([field, { kind }]: readonly [string, Column]): string {
  const name = keptAs(field)
  if (kind === 'time') return `ifNull(toString(toUnixTimestamp64Micro(${name})), 'NULL')`
  if (kind === 'levels') {
    return `arrayStringConcat(arrayMap(l -> concat(toString(l.price), ' ', toString(l.quantity)), ${name}), ', ')`
  }
  return `ifNull(toString(${name}), 'NULL')`
}

describe.skipIf(clickhouseMissing !== undefined)('what is read back', () => {
  const database = freshDatabase()
  let clickhouse: ClickHouse
  let rig: Rig
  let lsn = 1

  beforeAll(async () => {
    clickhouse = await startClickHouse()
    rig = rigOf({ url: clickhouse.url, database })
    await rig.sink.open()
  })
  afterAll(async () => {
    await rig?.sink.close()
    await clickhouse?.query(`DROP DATABASE ${database}`)
    await clickhouse?.stop()
  })

  async function store(events: readonly MarketEvent[]): Promise<void> {
    await rig.sink.write(batchOf(recordsOf(events, lsn)))
    lsn += events.length
  }

  test.each(EVENT_TYPES)('is exactly what was sent: %s', async (type) => {
    let count = 0
    const events = fc.sample(
      anyEvent(type, () => count++),
      { numRuns: EVENTS, seed: 7 },
    )
    await store(events)
    expect(rig.rejected).toEqual([])
    const columns = fieldsOf(type)
    const sql = `SELECT [${columns.map(readable).join(', ')}] FROM ${database}.${type} FORMAT JSONCompactEachRow`
    const rows = (await clickhouse.query(sql))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as [string[]])[0])
    const wanted = events.map((event) =>
      columns.map(([field, column]) => plain(column, (event as unknown as Record<string, unknown>)[field])),
    )
    const byId = (a: string[], b: string[]) => (a[7] as string).localeCompare(b[7] as string)
    expect(rows.sort(byId)).toEqual(wanted.sort(byId))
  })

  test('no decimal changes', async () => {
    const texts = fc.sample(decimals, { numRuns: 2000, seed: 11 })
    const events = texts.map((price, n) => trade(1_000_000 + n, { price, symbol: 'DIGITS' }))
    await store(events)
    const sql = `SELECT toString(price) FROM ${database}.trade WHERE symbol = 'DIGITS' ORDER BY toUInt64(trade_id)`
    expect((await clickhouse.query(sql)).trim().split('\n')).toEqual(texts.map(plainDecimal))
  })

  test('a whole number that is too long is refused, not cut', async () => {
    const events = ['1', '9'.repeat(39), '2'].map((price, n) => trade(2_000_000 + n, { price, symbol: 'LONG' }))
    const before = lsn
    await store(events)
    expect(rig.rejected.map((row) => row.lsn)).toEqual([before + 1])
    expect(rig.rejected[0]?.reason).toMatch(/error 69.*too big/)
    rig.rejected.length = 0
    const sql = `SELECT price FROM ${database}.trade WHERE symbol = 'LONG' ORDER BY price`
    expect(await clickhouse.query(sql)).toBe('1\n2\n')
  })
})

import { describe, expect, test } from 'vitest'
import type { LogRecord } from '../../../src/spool/frame.ts'
import { clickhouseMissing, type Fate } from '../../helpers/clickhouse-server.ts'
import { gap, NOON_US, quote, trade } from './events.ts'
import { batchOf, recordsOf, spoilt } from './rig.ts'
import { stage } from './stage.ts'

if (clickhouseMissing) process.stderr.write(`Inserts into ClickHouse are not tested: ${clickhouseMissing}.\n`)

describe.skipIf(clickhouseMissing !== undefined)('inserts into ClickHouse', () => {
  const on = stage()

  describe('one batch', () => {
    test('that comes twice is stored once', async () => {
      const batch = batchOf(recordsOf([trade(1), quote(2), trade(3), gap('g', 1)]))
      for (let i = 0; i < 2; i++) {
        const { sink } = on.rig()
        await sink.open()
        await sink.write(batch)
        await sink.write(batch)
        await sink.close()
      }
      expect([await on.count('trade'), await on.count('quote'), await on.count('gap')]).toEqual([2, 1, 1])
    })

    test('of another log with the same numbers is another batch', async () => {
      for (const [logId, n] of [
        ['a', 1],
        ['b', 2],
      ] as const) {
        const { sink } = on.rig({}, logId)
        await sink.open()
        await sink.write(batchOf(recordsOf([trade(n)])))
        await sink.close()
      }
      expect(await on.count('trade')).toBe(2)
    })

    test('that is stored by two collectors is one by id, whenever each received it', async () => {
      for (const [logId, receive_time_us] of [
        ['a', NOON_US],
        ['b', NOON_US + 86_400_000_000 * 7],
      ] as const) {
        const { sink } = on.rig({}, logId)
        await sink.open()
        const events = [trade(1, { receive_time_us }), quote(2, { exchange_time_us: undefined, receive_time_us })]
        await sink.write(batchOf(recordsOf(events)))
        await sink.close()
      }
      expect([await on.count('trade'), await on.count('quote')], 'two rows').toEqual([2, 2])
      expect([await on.count('trade FINAL'), await on.count('quote FINAL')], 'one by id').toEqual([1, 1])
    })

    test('whose token the server knows without the rows is stored again, as far as they are not there', async () => {
      const october = NOON_US - 86_400_000_000 * 40
      const events = [trade(1), quote(2), trade(3, { exchange_time_us: october }), trade(4), gap("it's", 1)]
      const batch = batchOf(recordsOf(events))
      const { sink: first } = on.rig()
      await first.open()
      await first.write(batch)
      await first.close()
      await on.clickhouse.query(
        `ALTER TABLE ${on.database}.trade DELETE WHERE toYYYYMM(time) = 202611 SETTINGS mutations_sync = 2`,
      )
      const { sink, said } = on.rig()
      await sink.open()
      await sink.write(batch)
      expect([await on.count('trade'), await on.count('quote'), await on.count('gap')]).toEqual([3, 1, 1])
      expect(sink.counts.restored).toBe(2)
      expect(said.filter((line) => line.startsWith('clickhouse_restored'))).toHaveLength(1)
      await sink.close()
    })

    test('is looked for when it may be a repetition, and no other', async () => {
      const { sink } = on.rig()
      const looks = () => on.front.asked.filter(({ sql }) => sql.startsWith('SELECT DISTINCT id')).length
      await sink.open()
      await sink.write(batchOf(recordsOf([trade(1)])))
      await sink.write(batchOf(recordsOf([trade(2)], 2)))
      expect(looks()).toBe(1)
      await sink.open()
      await sink.write(batchOf(recordsOf([trade(3)], 3)))
      expect(looks()).toBe(2)
      await sink.close()
    })

    test('of which one table was not stored is completed, and nothing is doubled', async () => {
      const { sink } = on.rig()
      await sink.open()
      const batch = batchOf(recordsOf([trade(1), quote(2), trade(3)]))
      on.front.rule = ({ sql }): Fate => (sql.includes('.quote ') ? 'cut' : 'pass')
      await expect(sink.write(batch)).rejects.toThrow(/storing records 1 to 3/)
      expect([await on.count('trade'), await on.count('quote')]).toEqual([2, 0])
      on.front.rule = () => 'pass'
      await sink.close()
      await sink.open()
      await sink.write(batch)
      expect([await on.count('trade'), await on.count('quote')]).toEqual([2, 1])
      await sink.close()
    })

    test('whose answer never came is stored once', async () => {
      const { sink } = on.rig({ timeoutMs: 1000 })
      await sink.open()
      const batch = batchOf(recordsOf([trade(1), trade(2)]))
      on.front.rule = () => 'mute'
      await expect(sink.write(batch)).rejects.toThrow(/no answer in time; rows may be stored/)
      expect(await on.count('trade'), 'it was stored').toBe(2)
      on.front.rule = () => 'pass'
      await sink.open()
      await sink.write(batch)
      expect(await on.count('trade')).toBe(2)
      await sink.close()
    })

    test('ends with an error when the sink is closed', async () => {
      const { sink } = on.rig({ timeoutMs: 600_000 })
      await sink.open()
      let arrived = () => {}
      const arrival = new Promise<void>((resolve) => {
        arrived = resolve
      })
      on.front.rule = () => {
        arrived()
        return 'mute'
      }
      const outcome = expect(sink.write(batchOf(recordsOf([trade(1)])))).rejects.toThrow(/storing records 1 to 1/)
      await arrival
      await sink.close()
      await outcome
      await expect(sink.write(batchOf(recordsOf([trade(1)])))).rejects.toThrow(/not connected/)
    })

    test('may be sent compressed', async () => {
      const { sink } = on.rig({ compress: true })
      await sink.open()
      await sink.write(batchOf(recordsOf([trade(1)])))
      expect(await on.count('trade')).toBe(1)
      expect(on.front.asked.at(-1)?.body).not.toContain('price')
      await sink.close()
    })
  })

  describe('spoilt rows', () => {
    const SPOILT = [
      '{"type":"trade","id":"x","price":"abc"}',
      '{"type":"trade","id":"x","price":null}',
      '{"type":"trade","id":"x","new_field":1}',
      '{"type":"trade","id":"x","pri',
      'not json',
    ]

    test('are refused one by one with the reason, all others are stored, and once', async () => {
      const { sink, rejected } = on.rig()
      await sink.open()
      const records = recordsOf(Array.from({ length: 40 }, (_, n) => trade(n)))
      const places = [0, 7, 8, 20, 39]
      const batch = batchOf(
        records.map((record, n) => (places.includes(n) ? spoilt(record, SPOILT[places.indexOf(n)] as string) : record)),
      )
      await sink.write(batch)
      await sink.write(batch)
      expect(await on.count('trade')).toBe(35)
      expect(
        rejected
          .map(({ lsn }) => lsn)
          .sort((a, b) => a - b)
          .slice(0, 10),
      ).toEqual(places.flatMap((n) => [n + 1, n + 1]))
      for (const { reason } of rejected)
        expect(reason).toMatch(/^ClickHouse cannot read it as a row of 'trade': error \d+: /)
      expect(sink.counts).toMatchObject({ rows: 70 })
      await sink.close()
    })

    test('of a type without a table are refused', async () => {
      const { sink, rejected } = on.rig()
      await sink.open()
      const [record] = recordsOf([trade(1)])
      if (!record) throw new Error('one record')
      await sink.write(batchOf([{ ...record, stream: 'kline okx okx spot BTC-USDT' }]))
      expect(rejected).toEqual([{ lsn: 1, reason: "ClickHouse has no table for 'kline' events in this version" }])
      await sink.close()
    })

    test('that are too many are no spoilt rows: the batch waits', async () => {
      const { sink, rejected } = on.rig()
      await sink.open()
      const records = recordsOf(Array.from({ length: 210 }, (_, n) => trade(n)))
      on.front.rule = ({ sql }): Fate =>
        sql.includes('.trade ') ? { code: 117, text: 'Unknown field. (INCORRECT_DATA)' } : 'pass'
      await expect(sink.write(batchOf(records))).rejects.toThrow(/more than 100 rows of a batch do not fit 'trade'/)
      expect(rejected).toEqual([])
      await sink.close()
    })

    test('at the end of a batch of full size leave nothing of it stored twice', async () => {
      const { sink, rejected } = on.rig()
      await sink.open()
      const order_type = 'x'.repeat(1000)
      const records = recordsOf(Array.from({ length: 14_000 }, (_, n) => trade(n, { order_type })))
      await sink.write(batchOf([...records.slice(0, -1), spoilt(recordsOf([trade(0)], 14_000)[0] as LogRecord, 'no')]))
      expect(on.front.asked.find(({ token }) => token?.endsWith(':trade'))?.body.length).toBeGreaterThan(15_000_000)
      expect(rejected.map(({ lsn }) => lsn)).toEqual([14_000])
      expect(await on.count('trade')).toBe(13_999)
      await sink.close()
    })
  })

  describe('an overloaded server', () => {
    test.each([
      [252, 'Too many parts (300). (TOO_MANY_PARTS)'],
      [241, 'Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)'],
      [202, 'Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)'],
    ])('gets rarer batches, and as many as before when it has recovered: %i', async (code, text) => {
      const { sink, rejected } = on.rig()
      await sink.open()
      expect(sink.traits.ageMs).toBe(1000)
      const batch = batchOf(recordsOf([trade(1), quote(2)]))
      on.front.rule = ({ sql }): Fate => (sql.startsWith('INSERT INTO') ? { code, text } : 'pass')
      for (const ageMs of [2000, 4000]) {
        await expect(sink.write(batch)).rejects.toThrow(`error ${code}`)
        await sink.open()
        expect(sink.traits.ageMs, 'a new connection changes nothing').toBe(ageMs)
      }
      expect(sink.counts.overloads).toBe(2)
      on.front.rule = () => 'pass'
      await sink.write(batch)
      expect(sink.traits.ageMs).toBe(3700)
      for (let n = 3; n < 13; n++) await sink.write(batchOf(recordsOf([trade(n)], n)))
      expect(sink.traits.ageMs).toBe(1000)
      expect(rejected).toEqual([])
      expect(await on.count('trade')).toBe(11)
      await sink.close()
    })

    test('another error changes nothing', async () => {
      const { sink } = on.rig()
      await sink.open()
      on.front.rule = () => ({ code: 242, text: 'Table is in readonly mode. (TABLE_IS_READ_ONLY)' })
      await expect(sink.write(batchOf(recordsOf([trade(1)])))).rejects.toThrow(/the table is read-only/)
      expect(sink.traits.ageMs).toBe(1000)
      await sink.close()
    })
  })
})

import { describe, expect, test } from 'vitest'
import { MIGRATIONS } from '../../../src/sinks/clickhouse/migrations.ts'
import { DATABASE } from '../../../src/sinks/clickhouse/options.ts'
import { createViews, VIEW_NAMES } from '../../../src/sinks/clickhouse/views.ts'
import { clickhouseMissing, type Fate } from '../../helpers/clickhouse-server.ts'
import { gap, quote, trade } from './events.ts'
import { batchOf, recordsOf, rigOf } from './rig.ts'
import { stage } from './stage.ts'

if (clickhouseMissing) process.stderr.write(`Tables of ClickHouse are not tested: ${clickhouseMissing}.\n`)

const VERSIONS = MIGRATIONS.map(({ version, name }) => `${version}\t${name}\n`).join('')

describe.skipIf(clickhouseMissing !== undefined)('the tables of ClickHouse', () => {
  const on = stage()

  describe('migrations', () => {
    test('make everything from nothing, and nothing the second time', async () => {
      const first = on.rig()
      await first.sink.open()
      expect(first.said).toEqual(['clickhouse_migrated ClickHouse: tables and views made or updated: 1, 2, 3'])
      const again = on.rig()
      await again.sink.open()
      expect(again.said).toEqual([])
      expect(await on.versions()).toBe(VERSIONS)
      for (const view of VIEW_NAMES) expect(await on.clickhouse.query(`SELECT * FROM ${on.database}.${view}`)).toBe('')
      await first.sink.close()
      await again.sink.close()
    })

    test('go on where they stopped', async () => {
      const { sink } = on.rig()
      on.front.rule = ({ sql }): Fate => (sql.includes('.gap') ? 'cut' : 'pass')
      await expect(sink.open()).rejects.toThrow(/migrations 1 \(tables\), 2 \(views\), .* of database/)
      expect(await on.versions()).toBe('')
      on.front.rule = () => 'pass'
      await sink.open()
      expect(await on.versions()).toBe(VERSIONS)
      await sink.close()
    })

    test('bring a database of an earlier version to the views of this one', async () => {
      const { sink, said } = on.rig()
      await sink.open()
      await on.clickhouse.query(`DELETE FROM ${on.database}.schema_migrations WHERE version > 2`)
      for (const sql of createViews(on.database)) await on.clickhouse.query(sql)
      const viewSql = () => on.clickhouse.query(`SHOW CREATE VIEW ${on.database}.completeness`)
      expect(await viewSql()).not.toContain('is_whole')
      await sink.open()
      expect(said.at(-1)).toMatch(/updated: 3$/)
      expect(await viewSql()).toContain('is_whole')
      await sink.close()
    })

    test('are not made where they must not be, and are named', async () => {
      await expect(on.rig({ migrate: false }).sink.open()).rejects.toThrow(
        /migrations 1 \(tables\), 2 \(views\), .* are missing/,
      )
    })

    test('a table that is not as it should be stops the sink, told by column', async () => {
      const { sink } = on.rig()
      await sink.open()
      await on.clickhouse.query(
        `ALTER TABLE ${on.database}.trade DROP COLUMN iv, MODIFY COLUMN quantity Float64 CODEC(ZSTD(1))`,
      )
      await expect(sink.open()).rejects.toThrow(
        /'trade.quantity' is Float64, expected Decimal\(76, 38\).*'trade.iv' is missing: add it as Nullable\(Decimal\(76, 38\)\)/,
      )
      await sink.close()
    })

    test('a TTL is set on market data, changed, and left alone when not said', async () => {
      const ttlOf = async (table: string) => {
        const sql = `SELECT engine_full FROM system.tables WHERE database = '${on.database}' AND name = '${table}'`
        return /toIntervalDay\(\d+\)/.exec(await on.clickhouse.query(sql))?.[0]
      }
      for (const [ttlDays, wanted] of [
        [undefined, undefined],
        [30, 'toIntervalDay(30)'],
        [31, 'toIntervalDay(31)'],
        [undefined, 'toIntervalDay(31)'],
        [0, 'toIntervalDay(31)'],
      ] as const) {
        const { sink } = on.rig({ ttlDays })
        await sink.open()
        expect(await ttlOf('book_delta')).toBe(wanted)
        expect(await ttlOf('gap'), 'what is missing is never forgotten').toBeUndefined()
        await sink.close()
      }
    })

    test('a user who may only insert is enough once the tables are there', async () => {
      await on.rig().sink.open()
      on.front.rule = ({ sql }): Fate =>
        /^\s*INSERT INTO `\w+`\.(trade|gap) /.test(sql)
          ? 'pass'
          : { code: 497, text: 'Not enough privileges. (ACCESS_DENIED)' }
      const { sink, said } = on.rig()
      await sink.open()
      await sink.open()
      expect(said, 'told once').toEqual([expect.stringMatching(/^clickhouse_unchecked/)])
      await sink.write(batchOf(recordsOf([trade(1), gap('g', 1)])))
      expect([await on.count('trade'), await on.count('gap')]).toEqual([1, 1])
      expect(said.slice(1), 'told once').toEqual([expect.stringMatching(/^clickhouse_unlooked .*GRANT SELECT/)])
      await expect(sink.write(batchOf(recordsOf([quote(1)])))).rejects.toThrow(/error 497.*the right that is named/)
      await sink.close()
    })
  })

  test('the user and the database that are configured are used', async () => {
    const { sink } = rigOf({ url: `${on.front.url.replace('//', '//me:s%40c@')}/${on.database}` })
    await sink.open()
    expect(await on.versions()).not.toBe('')
    expect(on.front.asked[0]?.sql).toContain(on.database)
    expect(on.front.asked[0]?.sql).not.toContain(DATABASE)
    expect(on.front.asked[0]?.authorization).toBe(`Basic ${Buffer.from('me:s@c').toString('base64')}`)
    await sink.close()
  })

  test('a missing file of certificates is named', async () => {
    await expect(on.rig({ caFile: '/nowhere/ca.pem' }).sink.open()).rejects.toThrow(
      /there is no file '\/nowhere\/ca.pem'/,
    )
  })
})

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isDecimal } from '../../../src/model/decimal.ts'
import { EVENT_TYPES, fieldsOf } from '../../../src/sinks/clickhouse/columns.ts'
import { columnsOfVersion, driftOfTable, MIGRATIONS } from '../../../src/sinks/clickhouse/migrations.ts'
import { TTL_DAYS_MAX, targetOf } from '../../../src/sinks/clickhouse/options.ts'
import { Pace } from '../../../src/sinks/clickhouse/pace.ts'
import { keptAs, storedColumns } from '../../../src/sinks/clickhouse/schema.ts'
import { VIEW_NAMES } from '../../../src/sinks/clickhouse/views.ts'

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const model = read('src/model/event.ts')

/** The fields of an interface of the model, and whether each may be absent. */
function interfaceFields(name: string): [field: string, isOptional: boolean][] {
  const body = new RegExp(`export interface ${name}[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(model)?.[1] ?? ''
  return [...body.matchAll(/^ {2}readonly (\w+)(\?)?:/gm)].map(([, field = '', mark]) => [field, mark === '?'])
}

describe.each(EVENT_TYPES)('%s', (type) => {
  const name = type.replace(/(^|_)(\w)/g, (_, __, letter: string) => letter.toUpperCase())

  test('has a column for every field of the model, and no other', () => {
    const wanted = [...interfaceFields('EventBase'), ...interfaceFields(name).filter(([field]) => field !== 'type')]
    expect(wanted.length, 'the model can be read').toBeGreaterThan(8)
    const columns = fieldsOf(type).map(([field, { isOptional }]) => [field, isOptional])
    expect(columns.sort()).toEqual(wanted.sort())
  })

  test('docs/CLICKHOUSE.md names its columns', () => {
    const section = read('docs/CLICKHOUSE.md').split(`### \`${type}\``)[1]?.split('\n#')[0] ?? ''
    for (const [field] of fieldsOf(type).slice(8)) expect(section).toContain(`\`${keptAs(field)}\``)
  })
})

test('docs/CLICKHOUSE.md names every view', () => {
  for (const view of VIEW_NAMES) expect(read('docs/CLICKHOUSE.md')).toContain(`\`${view}\``)
})

test('what a migration does is never changed', () => {
  const digest = (version: number) =>
    createHash('sha256')
      .update(
        MIGRATIONS.find((migration) => migration.version === version)
          ?.statements('db')
          .join('\n') ?? '',
      )
      .digest('hex')
      .slice(0, 16)
  expect(MIGRATIONS.map(({ version }) => [version, digest(version)])).toEqual([
    [1, 'c10491264c51d8c7'],
    [2, 'b35ddde386eba5fc'],
    [3, 'c09f0963258bc768'],
  ])
})

test('a column is brought by a migration that there is', () => {
  const versions = MIGRATIONS.map(({ version }) => version)
  expect(versions).toEqual(versions.map((_, index) => index + 1))
  for (const type of EVENT_TYPES) for (const { since } of storedColumns(type)) expect(versions).toContain(since)
  expect(columnsOfVersion('db', 1)).toContain(
    'ALTER TABLE `db`.trade ADD COLUMN IF NOT EXISTS `side` LowCardinality(String) CODEC(ZSTD(1))',
  )
})

test('no decimal of the model has more digits after its point than a column', () => {
  expect(isDecimal(`0.${'1'.repeat(38)}`)).toBe(true)
  expect(isDecimal(`0.${'1'.repeat(39)}`)).toBe(false)
  expect(storedColumns('trade').find(({ name }) => name === 'price')?.type).toBe('Decimal(76, 38)')
})

test('drift is told column by column', () => {
  const found = new Map(
    storedColumns('book_state').map(({ name, type, defaultKind }) => [
      `book_state.${name}`,
      { type, kind: defaultKind as string },
    ]),
  )
  expect(driftOfTable('book_state', found)).toEqual([])
  found.set('book_state.extra', { type: 'String', kind: '' })
  expect(driftOfTable('book_state', found), 'more is no drift').toEqual([])
  found.delete('book_state.reason')
  found.set('book_state.sequence', { type: 'Float64', kind: '' })
  expect(driftOfTable('book_state', found)).toEqual([
    "column 'book_state.reason' is missing: add it as LowCardinality(String)",
    "column 'book_state.sequence' is Float64, expected Nullable(Int64): change it, or rename the table and let it be made anew",
  ])
  expect(driftOfTable('book_state', new Map())[0]).toMatch(/table 'book_state' is missing/)
})

test('the URL names user, password and database; options come first', () => {
  expect(targetOf({ url: 'https://me:s%40c@ch.example:8443/other' })).toEqual({
    url: 'https://ch.example:8443',
    user: 'me',
    password: 's@c',
    database: 'other',
  })
  expect(targetOf({ url: 'http://ch:8123' })).toEqual({
    url: 'http://ch:8123',
    user: 'default',
    password: '',
    database: 'marketprism',
  })
  const options = { url: 'http://a:b@ch:8123/x', user: 'u', password: 'p', database: 'd' }
  expect(targetOf(options)).toMatchObject({ user: 'u', password: 'p', database: 'd' })
})

test('an overload makes batches rarer at once, successes bring them back step by step', () => {
  const pace = new Pace(1000)
  pace.overloaded()
  expect(pace.ageMs).toBe(2000)
  pace.overloaded()
  expect(pace.ageMs).toBe(4000)
  pace.stored()
  expect(pace.ageMs).toBe(3700)
  for (let i = 0; i < 20; i++) pace.overloaded()
  expect(pace.ageMs).toBe(30_000)
  for (let i = 0; i < 20; i++) pace.stored()
  expect(pace.ageMs).toBe(1000)
})

test('the longest TTL does not reach beyond the times that it can be computed with', () => {
  expect((Date.UTC(2026, 0, 1) / 86_400_000 + TTL_DAYS_MAX) * 86_400).toBeLessThan(2 ** 32)
})

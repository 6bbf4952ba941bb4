/** The page of promises: made of the recorded runs and the code, and nothing on it that does not exist. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { proofs } from '../../src/check/prove/index.ts'
import { reliabilityMarkdown } from '../../src/check/reliability.ts'
import { PROMISED } from '../../src/check/reliability-promises.ts'
import { dayDigest, mutantDigest, readRecord, soakDigest } from '../../src/check/reliability-record.ts'
import { venues } from '../../src/venues/index.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8')
const files = readdirSync(`${root}/docs/reliability`).filter((file) => file.endsWith('.json'))
const records = files.map((file) => readRecord(read(`docs/reliability/${file}`)))
const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts

test('docs/RELIABILITY.md is what the recorded runs and the code say', () => {
  expect(read('docs/RELIABILITY.md'), 'run `npm run docs`').toBe(reliabilityMarkdown(venues, records))
})

describe.each(PROMISED)('$id $title', ({ records: names, tests }) => {
  test('names tests that exist', () => {
    expect(tests.filter((path) => !existsSync(`${root}/${path}`))).toEqual([])
    expect(tests).not.toEqual([])
  })

  test('names runs that something makes', () => {
    const known = [...proofs.map(({ name }) => name), 'sim', 'sim-day', 'sim-delivery', 'sim-outage', 'mutants']
    expect(names.filter((name) => !known.includes(name))).toEqual([])
  })
})

test('every proof belongs to a promise, and every recorded run is on the page under its name', () => {
  const named = PROMISED.flatMap((promised) => promised.records)
  expect(proofs.map(({ name }) => name).filter((name) => !named.includes(name))).toEqual([])
  expect(files.map((file) => file.replace('.json', ''))).toEqual(records.map(({ name }) => name))
  expect(records.filter(({ name }) => !named.includes(name))).toEqual([])
})

test('the recorded commands are commands of this repository', () => {
  for (const { command } of records)
    expect(scripts, command).toHaveProperty([/^npm run ([\w:]+)/.exec(command)?.[1] ?? ''])
})

describe('a page', () => {
  const record = {
    name: 'drops',
    date: '2026-11-26',
    commit: 'abc',
    command: 'npm run prove -- drops',
    seconds: 61,
    machine: 'a machine',
    figures: { drops: 1000 },
    bounds: [{ what: 'drops', found: 1000, least: 2000 }],
    pass: false,
  }

  test('says plainly what is not met, and what is not recorded yet', () => {
    const page = reliabilityMarkdown(venues, [readRecord(JSON.stringify(record))])
    expect(page).toContain('**not met: drops**')
    expect(page).toMatch(/\| drops +\| 1,000 +\| ≥ 2,000 +\| \*\*not met\*\*/)
    expect(page).toContain('not recorded yet: kill, sim')
  })

  test('takes no record that says of itself what its bounds do not', () => {
    expect(() => readRecord(JSON.stringify({ ...record, pass: true }))).toThrow('pass does not follow')
  })
})

describe('what runs of the simulation write', () => {
  const passes = (digest: { bounds: readonly { found: number; most?: number; least?: number }[] }) =>
    digest.bounds.every(({ found, most = found, least = found }) => found <= most && found >= least)

  test('seeds', () => {
    const tally = {
      seeds: 10,
      promises: {},
      faults: { a: 2, b: 3 },
      events: 7,
      gaps: {},
      virtualHours: 0.3,
      seconds: 1,
    }
    expect(soakDigest({ ...tally, failed: [] }).figures).toMatchObject({ seeds: 10, faults: 5, kinds_of_fault: 2 })
    expect(passes(soakDigest({ ...tally, failed: [] }))).toBe(true)
    const failed = soakDigest({ ...tally, failed: [4], promises: { book_differs: 2, back_late: 1 } })
    expect(passes(failed)).toBe(false)
    expect(failed.bounds).toContainEqual({ what: 'losses that nobody was told of', found: 2, most: 0 })
  })

  test('a day', () => {
    const tally = { brokenCount: 0, gaps: 0, events: 7, seconds: 1 }
    expect(passes(dayDigest(tally))).toBe(true)
    expect(passes(dayDigest({ ...tally, gaps: 1 }))).toBe(false)
  })

  test('mutants', () => {
    const table = Array.from({ length: 30 }, (_, index) => ({ name: `m${index}`, seed: index }))
    const tally = { mutants: 30, killed: 30, seedsMax: 200, seconds: 1, cleanBreaks: {}, table }
    expect(mutantDigest(tally).figures.seeds_needed_most).toBe(29)
    expect(passes(mutantDigest(tally))).toBe(true)
    expect(mutantDigest({ ...tally, killed: 29, table: [{ name: 'm0' }, ...table.slice(1)] }).figures.survivors).toBe(
      'm0',
    )
    expect(passes(mutantDigest({ ...tally, killed: 29 }))).toBe(false)
  })
})

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { mutants, mutate } from '../mutants/index.ts'

const root = new URL('../../', import.meta.url)

describe('seeded bugs', () => {
  test('are many, and each has a name of its own', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(30)
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
    for (const { name } of mutants) expect(name).toMatch(/^[a-z]+(-[a-z0-9]+)+$/)
  })

  test.each(mutants)('$name has its place in the code', (mutant) => {
    const text = readFileSync(new URL(`src/${mutant.file}`, root), 'utf8')
    expect(mutate(mutant, text)).not.toBe(text)
    expect(mutant.why.length).toBeGreaterThan(10)
  })

  test('compile, each to other code than before', () => {
    const script = fileURLToPath(new URL('scripts/sim-mutants.mjs', root))
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
    expect(stderr).toContain(`${mutants.length} mutants apply and compile`)
    expect(status).toBe(0)
  })
})

describe('a bug whose place is gone', () => {
  const mutant = { name: 'off-by-one', file: 'a.ts', find: 'a <= b', replace: 'a < b', why: 'an end is left out' }

  test('is put where its text is', () => {
    expect(mutate(mutant, 'if (a <= b) go()')).toBe('if (a < b) go()')
  })

  test.each([
    ['nowhere', 'if (a === b) go()', 0],
    ['twice', 'if (a <= b) go(a <= b)', 2],
    ['three times', 'a <= b; a <= b; a <= b', 3],
  ])('fails loudly when its text is there %s', (_, text, count) => {
    expect(() => mutate(mutant, text)).toThrow(`mutant off-by-one: its text occurs ${count} times in src/a.ts`)
  })

  test('takes the replacement as it is, not as a pattern', () => {
    expect(mutate({ ...mutant, replace: '$& $1 $$' }, 'a <= b')).toBe('$& $1 $$')
  })
})

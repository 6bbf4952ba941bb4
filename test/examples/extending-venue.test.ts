import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { toybit } from '../../examples/extending/venue/toybit.ts'
import { toybitSim } from '../../examples/extending/venue/toybit-sim.ts'
import { collects } from '../venues/collecting.ts'
import { conforms } from '../venues/conformance.ts'
import { fixturesOf } from '../venues/fixtures.ts'

const folder = new URL('../../examples/extending/venue/', import.meta.url)

test('a venue takes at most 120 lines', () => {
  const lines = readFileSync(new URL('toybit.ts', folder), 'utf8').trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(120)
})

conforms(toybit, fixturesOf('toybit', new URL('fixtures/', folder)))
collects(toybit, toybitSim)

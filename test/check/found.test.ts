/** Plans that once broke a promise, as far as they could be shrunk: none does any more. Each comes from a seed of the search. */

import { expect, test } from 'vitest'
import { createOracle } from '../../src/check/oracle.ts'
import { RUN_OPTIONS } from '../../src/check/oracle-promises.ts'
import { runSeed } from '../../src/check/run.ts'
import { FOUND_LATER } from './found-later-plans.ts'
import { FOUND } from './found-plans.ts'

test.each([...FOUND, ...FOUND_LATER])('%s', async (_what, seed, plan) => {
  const oracle = createOracle(RUN_OPTIONS)
  const { crash } = await runSeed(seed, { plan, sinks: [oracle] })
  expect([crash, oracle.finish().map(({ promise, text }) => `${promise}: ${text}`)]).toEqual([undefined, []])
})

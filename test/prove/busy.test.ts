/** Proofs that need the processor for themselves, with small counts. */

import { describe, test } from 'vitest'
import { drops } from '../../src/check/prove/drops.ts'
import { rotations } from '../../src/check/prove/rotations.ts'
import { start } from '../../src/check/prove/start.ts'
import { symbols } from '../../src/check/prove/symbols.ts'
import { expectProven } from './few.ts'

describe('with few', { timeout: 120_000 }, () => {
  test.each([
    [drops, 20],
    [rotations, 10],
    [start, 30],
    [symbols, 6],
  ])('$name', (proof, count) => expectProven(proof, count))
})

/** Proofs that need the processor for themselves, with small counts. */

import { beforeAll, describe, test } from 'vitest'
import { connections } from '../../src/check/prove/connections.ts'
import { drops } from '../../src/check/prove/drops.ts'
import { rotations } from '../../src/check/prove/rotations.ts'
import { start } from '../../src/check/prove/start.ts'
import { symbols } from '../../src/check/prove/symbols.ts'
import { build, expectProven } from './few.ts'

beforeAll(build, 120_000)

describe('with few', { timeout: 120_000 }, () => {
  test.each([
    [drops, 20],
    [rotations, 10],
    [start, 30],
    [symbols, 6],
    [connections, 200],
  ])('$name', (proof, count) => expectProven(proof, count))
})

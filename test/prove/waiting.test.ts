/** Proofs that wait more than they work, side by side, with small counts. */

import { beforeAll, describe, test } from 'vitest'
import { kill } from '../../src/check/prove/kill.ts'
import { outage } from '../../src/check/prove/outage.ts'
import { silence } from '../../src/check/prove/silence.ts'
import { build, expectProven } from './few.ts'

beforeAll(build, 120_000)

describe.concurrent('with few', { timeout: 150_000 }, () => {
  test.each([
    [silence, 1],
    [outage, 4],
    [kill, 2],
  ])('$name', (proof, count) => expectProven(proof, count))
})

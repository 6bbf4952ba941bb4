import { test } from 'vitest'
import { rotations } from '../../src/check/prove/rotations.ts'
import { expectProven } from './few.ts'

test(rotations.about, { timeout: 120_000 }, async () => {
  await expectProven(rotations, 12)
})

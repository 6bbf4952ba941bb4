import { test } from 'vitest'
import { drops } from '../../src/check/prove/drops.ts'
import { expectProven } from './few.ts'

test(drops.about, { timeout: 60_000 }, async () => {
  await expectProven(drops, 20)
})

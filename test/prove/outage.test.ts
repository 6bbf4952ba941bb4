import { test } from 'vitest'
import { outage } from '../../src/check/prove/outage.ts'
import { expectProven } from './few.ts'

test(outage.about, { timeout: 120_000 }, async () => {
  await expectProven(outage, 4)
})

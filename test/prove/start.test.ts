import { test } from 'vitest'
import { start } from '../../src/check/prove/start.ts'
import { expectProven } from './few.ts'

test(start.about, { timeout: 80_000 }, async () => {
  await expectProven(start, 30)
})

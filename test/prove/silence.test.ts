import { test } from 'vitest'
import { silence } from '../../src/check/prove/silence.ts'
import { expectProven } from './few.ts'

test(silence.about, { timeout: 80_000 }, async () => {
  await expectProven(silence, 1)
})

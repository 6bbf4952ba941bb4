import { test } from 'vitest'
import { symbols } from '../../src/check/prove/symbols.ts'
import { expectProven } from './few.ts'

test(symbols.about, { timeout: 80_000 }, async () => {
  await expectProven(symbols, 8)
})

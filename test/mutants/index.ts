/** Every seeded bug. `npm run sim:mutants` applies them one by one; each must break a promise of the simulation. */

import { BOOK_MUTANTS } from './book.ts'
import { LEDGER_MUTANTS } from './ledger.ts'
import type { Mutant } from './mutant.ts'
import { REST_MUTANTS } from './rest.ts'
import { SESSION_MUTANTS } from './session.ts'
import { TRADE_MUTANTS } from './trades.ts'

export { type Mutant, mutate } from './mutant.ts'

export const mutants: readonly Mutant[] = [
  ...REST_MUTANTS,
  ...SESSION_MUTANTS,
  ...TRADE_MUTANTS,
  ...LEDGER_MUTANTS,
  ...BOOK_MUTANTS,
]

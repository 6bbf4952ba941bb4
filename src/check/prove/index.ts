/** The proofs that need real sockets and real processes, by name. */

import { connections } from './connections.ts'
import { delivery } from './delivery.ts'
import { drops } from './drops.ts'
import { frozen } from './frozen.ts'
import { full } from './full.ts'
import { kill } from './kill.ts'
import { outage } from './outage.ts'
import type { Proof } from './proof.ts'
import { restore } from './restore.ts'
import { rotations } from './rotations.ts'
import { silence } from './silence.ts'
import { start } from './start.ts'
import { symbols } from './symbols.ts'

export type { Bound, Proof, ProofOptions, ProofResult } from './proof.ts'
export { boundText, holds } from './proof.ts'

export const proofs: readonly Proof[] = [
  drops,
  silence,
  rotations,
  symbols,
  start,
  outage,
  kill,
  delivery,
  restore,
  full,
  frozen,
  connections,
]

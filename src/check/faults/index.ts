/** Every kind of fault that a simulated run can have. */

import type { PlannedFault } from '../plan.ts'
import type { World } from '../world.ts'
import type { FaultKind, Strike } from './kind.ts'
import { MACHINE_FAULTS } from './machine.ts'
import { REST_FAULTS } from './rest.ts'
import { SOCKET_FAULTS } from './socket.ts'
import { STREAM_FAULTS } from './stream.ts'
import { VENUE_FAULTS } from './venue.ts'

const KINDS = { ...STREAM_FAULTS, ...SOCKET_FAULTS, ...VENUE_FAULTS, ...REST_FAULTS, ...MACHINE_FAULTS }

export type FaultName = keyof typeof KINDS
export const FAULT_KINDS: Readonly<Record<FaultName, FaultKind>> = KINDS

/** Lets the fault happen now, and writes it into the trace. */
export function strike(world: World, fault: PlannedFault): void {
  const lastsMs = FAULT_KINDS[fault.kind].strike(strikeOf(world, fault))
  const { venue, channel, symbol } = fault
  const atUs = world.nowUs()
  world.trace({
    kind: 'fault',
    atUs,
    fault: fault.kind,
    ...(venue !== undefined && { venue }),
    ...(channel !== undefined && { channel }),
    ...(symbol !== undefined && { symbol }),
    ...(lastsMs !== undefined && { untilUs: atUs + lastsMs * 1000 }),
  })
}

const strikeOf = (world: World, fault: PlannedFault): Strike => ({
  world,
  fault,
  get venue() {
    return world.venue(fault.venue ?? '')
  },
  number: (name) => Number(fault.args?.[name]),
  word: (name) => String(fault.args?.[name]),
})

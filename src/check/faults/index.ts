/** Every kind of fault that a simulated run can have. */

import type { PlannedFault } from '../plan.ts'
import type { FaultScope, World } from '../world.ts'
import { COINCIDENT_FAULTS } from './coincidence.ts'
import type { FaultKind, Strike, Target } from './kind.ts'
import { MACHINE_FAULTS } from './machine.ts'
import { REST_FAULTS } from './rest.ts'
import { SOCKET_FAULTS } from './socket.ts'
import { STREAM_FAULTS } from './stream.ts'
import { VENUE_FAULTS } from './venue.ts'

export const FAULT_KINDS: Readonly<Record<string, FaultKind>> = {
  ...STREAM_FAULTS,
  ...SOCKET_FAULTS,
  ...VENUE_FAULTS,
  ...REST_FAULTS,
  ...MACHINE_FAULTS,
  ...COINCIDENT_FAULTS,
}

/** Lets the fault happen now; it writes itself into the trace. Errors: throws a RangeError for a kind that there is not. */
export function strike(world: World, fault: PlannedFault): void {
  const kind = FAULT_KINDS[fault.kind]
  if (kind === undefined) throw new RangeError(`there is no fault '${fault.kind}'`)
  const { target } = kind
  const stroke: Strike = {
    world,
    fault,
    get venue() {
      return world.venue(fault.venue ?? '')
    },
    number: (name) => Number(fault.args?.[name]),
    word: (name) => String(fault.args?.[name]),
    scope: (reach = target) => scopeOf(fault, reach),
    struck: (lastsMs, reach = target) => world.struck(fault.kind, scopeOf(fault, reach), lastsMs),
  }
  kind.strike(stroke)
}

function scopeOf({ venue, channel, symbol }: PlannedFault, reach: Target): FaultScope {
  if (reach === 'machine' || venue === undefined) return {}
  if (reach === 'venue' || symbol === undefined) return { venue }
  return { venue, symbol, ...(reach === 'stream' && channel !== undefined && { channel }) }
}

/** The catalogue, for people. */
export const faultTable = (): string =>
  Object.entries(FAULT_KINDS)
    .map(([name, { about, target }]) => `${name.padEnd(22)} ${target.padEnd(8)} ${about}`)
    .join('\n')

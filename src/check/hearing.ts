/** When a process has an answer that forbids requests. */

import type { Machine } from './machine.ts'

/** By then it has heard it, and no older request is under way. */
const GRACE_MS = 200

/** Not while it stands still, nor right behind that; never if it ends before, for then it tells the next one nothing. */
export function onceHeard(
  machine: Machine,
  after: (delayMs: number, action: () => void) => void,
  act: () => void,
): void {
  const { collector } = machine
  const hear = (wasStalled: boolean): void => {
    const { isStalled } = machine
    if (isStalled || wasStalled) after(GRACE_MS, () => hear(isStalled))
    else if (collector === machine.collector) act()
  }
  if (collector !== undefined) after(GRACE_MS, () => hear(false))
}

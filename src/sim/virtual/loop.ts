/** One deterministic event loop with virtual time: what is due first happens first, and time passes only between. */

import { inTurn } from '../../platform/turn.ts'

/**
 * Lets everyone go on who awaited what is settled, without the price of a turn of Node's own loop. Only outside of promises.
 * https://nodejs.org/api/deprecations.html#dep0134-process_tickcallback
 */
const goOn = (process as unknown as { readonly _tickCallback?: () => void })._tickCallback

/** Events in one turn of Node's loop. Where nobody else lets the awaiting go on, each needs its own. */
const EVENTS_A_TURN = goOn === undefined ? 1 : 1_000

/** Something that can die or stall as a whole, with everything it waits for. */
export class Scope {
  isAlive = true
  /** While it stalls, what is due for it gathers here. */
  held: LoopEvent[] | undefined
  /** When it last went on after that, in true time. */
  wokenMs = Number.NEGATIVE_INFINITY
}

export interface LoopEvent {
  dueMs: number
  /** Decides between events that are due at the same time. */
  order: number
  readonly scope: Scope
  /** Comes from outside the scope (a packet, an answer), not from a timer of its own. */
  readonly isInput: boolean
  /** `undefined`: cancelled. */
  action: (() => void) | undefined
}

export class VirtualLoop {
  /** The true time since the start. */
  nowMs = 0
  /** Events that have happened. */
  count = 0
  readonly #heap: LoopEvent[] = []
  #lastOrder = 0
  /** An action threw: what a process would die of. */
  onCrash: (error: unknown, scope: Scope) => void = (error) => {
    throw error
  }

  /** Calls `action` at `dueMs`, or now if that has passed, unless its scope is dead by then. */
  at(dueMs: number, scope: Scope, action: () => void, isInput = false): LoopEvent {
    const event = { dueMs: Math.max(dueMs, this.nowMs), order: ++this.#lastOrder, scope, isInput, action }
    this.#push(event)
    return event
  }

  /** What is due for the scope waits from now on. */
  stall(scope: Scope): void {
    scope.held ??= []
  }

  /** What waited happens now: in the order in which it was due, or the scope's own timers first. */
  wake(scope: Scope, areTimersFirst: boolean): void {
    const held = scope.held ?? []
    scope.held = undefined
    scope.wokenMs = this.nowMs
    const first = areTimersFirst ? held.filter(({ isInput }) => !isInput) : held
    const rest = areTimersFirst ? held.filter(({ isInput }) => isInput) : []
    for (const event of [...first, ...rest]) {
      event.dueMs = this.nowMs
      event.order = ++this.#lastOrder
      this.#push(event)
    }
  }

  /** Lets everything happen that is due until `untilMs`, then stands there. */
  async run(untilMs: number): Promise<void> {
    while (await inTurn(() => this.#happenSome(untilMs))) {}
    this.nowMs = Math.max(this.nowMs, untilMs)
  }

  /** Is there more? */
  #happenSome(untilMs: number): boolean {
    for (let count = 0; count < EVENTS_A_TURN && this.#isDue(untilMs); count++) this.#happen()
    return this.#isDue(untilMs)
  }

  #isDue(untilMs: number): boolean {
    const next = this.#heap[0]
    return next !== undefined && next.dueMs <= untilMs
  }

  #happen(): void {
    const event = this.#pop()
    const { scope, action } = event
    if (action === undefined || !scope.isAlive) return
    if (scope.held !== undefined) {
      scope.held.push(event)
      return
    }
    this.nowMs = event.dueMs
    this.count++
    try {
      action()
    } catch (error) {
      this.onCrash(error, scope)
    }
    // Whoever awaited what the event settled goes on before anything else happens.
    goOn?.()
  }

  #push(event: LoopEvent): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above] as LoopEvent
      if (!isBefore(event, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = event
  }

  #pop(): LoopEvent {
    const heap = this.#heap
    const first = heap[0] as LoopEvent
    const last = heap.pop() as LoopEvent
    const { length } = heap
    if (length === 0) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= length) break
      if (below + 1 < length && isBefore(heap[below + 1] as LoopEvent, heap[below] as LoopEvent)) below++
      const child = heap[below] as LoopEvent
      if (!isBefore(child, last)) break
      heap[at] = child
      at = below
    }
    heap[at] = last
    return first
  }
}

const isBefore = (a: LoopEvent, b: LoopEvent): boolean =>
  a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)

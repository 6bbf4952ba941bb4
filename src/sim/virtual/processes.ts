import type { Processes } from '../../platform/platform.ts'
import type { Scope } from './loop.ts'

/** Processes of one machine: each is a scope. */
export class VirtualProcesses {
  readonly #scopes: Scope[] = []
  /** This run of the machine; another after a power failure. */
  boot = 1

  /** `space`: the container that it runs in. */
  of(scope: Scope, space = ''): Processes {
    const pid = this.#scopes.push(scope)
    const boot = String(this.boot)
    return {
      own: { pid, started: String(pid), boot, space },
      stateOf: (other) => {
        if (other.boot !== String(this.boot)) return 'dead'
        if (other.space !== space) return 'unknown'
        return this.#scopes[other.pid - 1]?.isAlive === true ? 'alive' : 'dead'
      },
    }
  }
}

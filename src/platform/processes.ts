import { readFileSync, readlinkSync } from 'node:fs'
import type { Processes, ProcessName } from './platform.ts'
import { hasCode } from './system-error.ts'

/** States of a process that runs no more: zombie, dead. */
const ENDED: ReadonlySet<string> = new Set(['Z', 'X'])

/** The machine's processes. Where there is no /proc, a living process with the same number counts as the same. */
export function systemProcesses(): Processes {
  const boot = orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  const space = orEmpty(() => readlinkSync('/proc/self/ns/pid'))
  return {
    own: { pid: process.pid, started: startOf(process.pid), boot, space },
    stateOf(other) {
      if (other.boot !== boot) return 'dead'
      if (other.space !== space) return 'unknown'
      return isRunning(other) && other.started === startOf(other.pid) ? 'alive' : 'dead'
    },
  }
}

function isRunning({ pid }: ProcessName): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Someone else's process lives too.
    return hasCode(error, 'EPERM')
  }
}

/**
 * Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold spaces and parentheses. Empty for a process that has
 * ended and that its parent has not noticed yet.
 */
function startOf(pid: number): string {
  const stat = orEmpty(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ENDED.has(fields[0] ?? '') ? '' : (fields[19] ?? '')
}

function orEmpty(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

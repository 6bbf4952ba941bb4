// What is written down of a run: which code, which machine, which figures.
import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { ROOT } from './setup.mjs'

export function recordOf({ name, command, seconds, figures, bounds, pass }) {
  return {
    name,
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    command,
    seconds,
    machine: machine(),
    figures,
    bounds,
    pass,
  }
}

function machine() {
  const gib = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} cores shared with other work, ${gib} GiB, Node ${process.versions.node}, ${process.platform} ${process.arch}`
}

/** With `+changes` when the working tree differs from it. */
function commit() {
  const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  try {
    const isClean = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'package-lock.json') === ''
    return git('rev-parse', '--short=10', 'HEAD') + (isClean ? '' : '+changes')
  } catch {
    return 'unknown'
  }
}

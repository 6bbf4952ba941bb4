/** The real programs of Prometheus, and whether they can be had. */

import { spawnSync } from 'node:child_process'

const isThere = (program: string): boolean => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0

/** Tests that need `promtool` cannot run. */
export const promtoolMissing = !isThere('promtool')

if (promtoolMissing) console.warn('Not tested with promtool: it is not installed (see scripts/test.mjs).')

/** A command as it runs within this process: in an empty folder, without the environment, and what it says. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, vi } from 'vitest'
import { VARIABLES, variablesOf } from '../../src/ops/environment.ts'

export interface Ran {
  /** The working folder of the test; in it, `etc` for configuration. */
  readonly folder: string
  /** On standard output, and on standard error. */
  readonly printed: string
  readonly warned: string
}

/** Anew for each test of the file; after each all is as it was. */
export function useCommand(): Ran {
  const ran = { folder: '', printed: '', warned: '' }
  const keep = (stream: NodeJS.WriteStream, name: 'printed' | 'warned') =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      ran[name] += text
      return true
    })
  beforeEach(() => {
    Object.assign(ran, { folder: mkdtempSync(join(tmpdir(), 'marketprism-command-')), printed: '', warned: '' })
    mkdirSync(join(ran.folder, 'etc'))
    const variables = Object.entries(VARIABLES).flatMap(([variable, source]) => variablesOf({ variable, ...source }))
    for (const variable of [...variables, 'MARKETPRISM_CONFIG_DIR']) vi.stubEnv(variable, '')
    vi.spyOn(process, 'cwd').mockReturnValue(ran.folder)
    keep(process.stdout, 'printed')
    keep(process.stderr, 'warned')
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    process.exitCode = undefined
    rmSync(ran.folder, { recursive: true })
  })
  return ran
}

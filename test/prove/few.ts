/** Runs a proof with small counts and expects every bound of the full one to hold. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { boundText, holds, type Proof, type ProofResult } from '../../src/check/prove/index.ts'
import { systemClock } from '../../src/platform/clock.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Builds `dist/` if it is not there, as the proof of kills needs it. */
export const build = (): void =>
  void execFileSync(process.execPath, [join(ROOT, 'scripts', 'setup.mjs')], { stdio: 'ignore' })

export async function expectProven(proof: Proof, count: number): Promise<ProofResult> {
  const folder = mkdtempSync(join(tmpdir(), `prove-${proof.name}-`))
  const said: string[] = []
  const main = join(ROOT, 'dist', 'main.js')
  const say = (text: string) => void said.push(text)
  try {
    const result = await proof.run({ count, seed: 5, folder, main, clock: systemClock(), say })
    const failed = result.bounds.filter((bound) => !holds(bound)).map(boundText)
    expect(failed, said.join('\n')).toEqual([])
    return result
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

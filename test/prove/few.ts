/**
 * Runs a proof with small counts and expects every bound of the full one to hold. Times may be longer: a machine that runs
 * all tests at once is no place to measure them, and the recorded runs say what they are.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type Bound, boundText, holds, type Proof } from '../../src/check/prove/index.ts'
import { systemClock } from '../../src/platform/clock.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const TIME_SLACK = 5
const isTime = ({ what }: Bound): boolean => /, m?s$|of the machine’s own/.test(what)
const patient = (bound: Bound): Bound =>
  isTime(bound) && bound.most !== undefined ? { ...bound, most: bound.most * TIME_SLACK } : bound

/** Builds `dist/` if it is not there, as the proof of kills needs it. */
export const build = (): void =>
  void execFileSync(process.execPath, [join(ROOT, 'scripts', 'setup.mjs')], { stdio: 'ignore' })

export async function expectProven(proof: Proof, count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `prove-${proof.name}-`))
  const said: string[] = []
  const main = join(ROOT, 'dist', 'main.js')
  const say = (text: string) => void said.push(text)
  try {
    const { bounds } = await proof.run({ count, seed: 5, folder, main, clock: systemClock(), say })
    const failed = bounds.map(patient).filter((bound) => !holds(bound))
    expect(failed.map(boundText), said.join('\n')).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

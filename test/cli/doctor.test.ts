/** `marketprism doctor` as a program: what is printed, and the exit status. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeConfig } from '../../src/check/prove/config.ts'
import { findingText } from '../../src/cli/doctor.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { useProgram } from '../helpers/program.ts'

const { run } = useProgram()
const folder = mkdtempSync(join(tmpdir(), 'doctor-cli-'))
let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 3 })
  await writeConfig(folder, simVenues, simulator, { lake: { enabled: false }, spool: { mode: 'off' } })
})
afterAll(async () => {
  await simulator.stop()
  rmSync(folder, { recursive: true })
})

test('0 when nothing fails, 1 when something does, 78 for a bad configuration', { timeout: 90_000 }, async () => {
  const good = run(['doctor', '-c', folder, '--listen', '20'])
  expect(await good.exit, good.output()).toBe(0)
  expect(good.output()).toMatch(/\nok {4}okx websocket public +127\.0\.0\.1:\d+ opened in \d+ ms\n/)
  expect(good.output()).toMatch(/\n\d+ ok, \d+ warnings, 0 failures\n$/)
  const json = run(['doctor', '-c', folder, '--listen', '0.1', '--json'], { NATS_URL: 'nats://u:c4n4ry@127.0.0.1:1' })
  expect(await json.exit).toBe(1)
  expect(JSON.parse(json.output())).toMatchObject({
    isHealthy: false,
    findings: expect.arrayContaining([expect.objectContaining({ check: 'nats', status: 'fail' })]),
  })
  expect(json.output()).not.toContain('c4n4ry')
  const invalid = run(['doctor', '-c', folder], { API_PORT: 'many' })
  expect(await invalid.exit).toBe(78)
})

test('what a venue says cannot steer the terminal; advice stands below', () => {
  const finding = { check: 'okx rest', status: 'fail', found: 'bad\u001b[2J', advice: 'wait' } as const
  expect(findingText(finding, { width: undefined, hasColour: false })).toBe(
    `fail  okx rest                        bad\\u001b[2J\n${' '.repeat(38)}-> wait\n`,
  )
})

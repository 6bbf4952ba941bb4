/** The project's black-box check of the API, run as it is run against a real service. */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningApi, startApi } from './helpers/start-api.ts'

const CHECK = fileURLToPath(new URL('../../../shared/check/api-check.mjs', import.meta.url))
const STEP_MS = 20
const SECONDS = process.env.API_CHECK_SECONDS ?? '3'
const isThere = existsSync(CHECK)
if (!isThere)
  console.warn('SKIPPED: the black-box API check is not beside this repository (../shared/check/api-check.mjs)')

let running: RunningApi
let timer: NodeJS.Timeout

beforeAll(async () => {
  running = await startApi()
  timer = setInterval(() => running.collector.step(), STEP_MS)
})
afterAll(async () => {
  clearInterval(timer)
  await running.api.stop()
})

test.skipIf(!isThere)('the black-box check passes', { timeout: 120_000 }, async () => {
  const { output, code } = await run([CHECK, running.url, '--seconds', SECONDS])
  expect(output).toMatch(/^\d+ passed, 0 failed$/m)
  expect(code).toBe(0)
})

function run(args: readonly string[]): Promise<{ output: string; code: number | null }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args)
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('close', (code) => resolve({ output, code }))
  })
}

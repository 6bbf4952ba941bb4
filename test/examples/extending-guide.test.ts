/** The guide is followed to the letter, on a copy of the program: it compiles, and what was added works. */

import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../helpers/service.ts'
import { applied, changesOfGuide } from './guide.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'guide-'))
const main = join(copy, 'dist/main.js')

/** Where the guide says that each example goes. */
const PLACES = {
  'endpoint/best.ts': 'src/api/routes/best.ts',
  'venue/toybit.ts': 'src/venues/toybit/index.ts',
  'venue/toybit-sim.ts': 'src/sim/toybit.ts',
  'sink/tape.ts': 'src/sinks/tape/sink.ts',
} as const

beforeAll(() => {
  for (const name of ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const [from, to] of Object.entries(PLACES)) {
    const up = '../'.repeat(to.split('/').length - 2) || './'
    const text = readFileSync(join(root, 'examples/extending', from), 'utf8').replaceAll("'../../../src/", `'${up}`)
    mkdirSync(join(copy, to, '..'), { recursive: true })
    writeFileSync(join(copy, to), text)
  }
  for (const change of changesOfGuide()) {
    const path = join(copy, change.file)
    writeFileSync(path, applied(readFileSync(path, 'utf8'), change))
  }
})

afterAll(() => rmSync(copy, { recursive: true, force: true }))

test('it compiles', { timeout: 180_000 }, async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: copy,
  }).catch((error: { stdout: string }) => error)
  expect(stdout).toBe('')
})

test('the option and the venue are in the configuration', () => {
  const env = { ...process.env, API_TITLE: 'Tokyo' }
  const { stdout } = spawnSync(process.execPath, [main, 'config'], { cwd: copy, encoding: 'utf8', env })
  expect(stdout).toMatch(/api\.title\s+Tokyo\s+env API_TITLE/)
  expect(stdout).toMatch(/exchanges\.toybit\.channels\.index\s+index/)
  expect(stdout).not.toMatch(/exchanges\.okx\.channels\.index/)
})

test('the venue collects, the endpoint answers, the metric counts, the sink stores', async () => {
  const args = [main, 'demo', '--port', '0', '--log-format', 'json']
  const demo = spawn(process.execPath, args, { cwd: copy, stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    let out = ''
    demo.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    const urlOf = () => /"event":"service_started".*?"url":"([^"]+)"/.exec(out)?.[1]
    await until('the demo to start', urlOf, 60_000)
    const url = urlOf() as string
    const get = async (path: string) => (await fetch(url + path)).text()
    await until(
      'the endpoint to answer',
      async () => /"bid":"\d/.test(await get('/api/v1/best/toybit/BTC-USD')),
      60_000,
    )
    const isCounted = /marketprism_events_collected_total\{venue="toybit",type="index_price"[^}]*\} [1-9]/
    await until('index prices to be collected', async () => isCounted.test(await get('/metrics')), 60_000)
    await until(
      'events without a time to be counted',
      async () => /marketprism_events_untimed_total\{[^}]*\} [1-9]/.test(await get('/metrics')),
      60_000,
    )
    const isStored = /marketprism_sink_counts_total\{sink="tape",what="lines"[^}]*\} [1-9]/
    await until('the tape to have lines', async () => isStored.test(await get('/metrics')), 60_000)
  } finally {
    demo.kill('SIGTERM')
    await once(demo, 'exit')
  }
}, 200_000)

/** SIGHUP to the built program: the configuration is read again from where it was read at the start. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { systemClock } from '../../src/platform/clock.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { until } from '../helpers/service.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'dist', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'reload-'))
let simulator: Simulator
let child: ChildProcess | undefined

beforeAll(async () => {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'setup.mjs')], { stdio: 'ignore' })
  simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 5 })
}, 120_000)

afterEach(() => void child?.kill('SIGKILL'))

afterAll(async () => {
  await simulator.stop()
  rmSync(folder, { recursive: true })
})

function writeConfig(symbols: readonly string[], more: object = {}): void {
  const others = simVenues.filter(({ id }) => id !== 'okx').map(({ id }) => [id, { enabled: false }])
  const exchanges = { ...Object.fromEntries(others), okx: { symbols, ...simulator.options('okx'), ...more } }
  writeFileSync(join(folder, 'exchanges.yaml'), stringify({ exchanges }))
}

describe.skipIf(process.platform === 'win32')('SIGHUP', () => {
  test('takes over what changed, and goes on with the old configuration when the new one is invalid', {
    timeout: 60_000,
  }, async () => {
    writeConfig(['BTC-USDT'])
    writeFileSync(join(folder, 'service.yaml'), 'environment: simulation\n')
    const args = [
      'start',
      '--config',
      folder,
      '--port',
      '0',
      '--log-format',
      'json',
      '--data-dir',
      join(folder, 'data'),
    ]
    const { PATH = '', HOME = '' } = process.env
    const running = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env: { PATH, HOME } })
    child = running
    let output = ''
    running.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const exit = new Promise<number | null>((resolve) => void running.on('exit', resolve))
    const lines = (event: string) =>
      output
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((line) => line.event === event)
    await until('the URL', () => lines('service_started').length > 0, 20_000)
    const url = String(lines('service_started')[0]?.url)
    const symbols = async () => {
      const { data } = (await (await fetch(`${url}/api/v1/feeds`)).json()) as {
        data: { feeds: { symbol: string; state: string }[] }
      }
      const isLive = data.feeds.every(({ state }) => state === 'live')
      return isLive ? [...new Set(data.feeds.map(({ symbol }) => symbol))].join(' ') : ''
    }
    await until('data', async () => (await symbols()) === 'BTC-USDT', 20_000)

    writeConfig(['BTC-USDT', 'ETH-USDT'])
    writeFileSync(join(folder, 'service.yaml'), 'environment: simulation\nshutdown_timeout_ms: 5000\n')
    running.kill('SIGHUP')
    await until('the added symbol', async () => (await symbols()) === 'BTC-USDT ETH-USDT', 20_000)
    expect(lines('config_changed').map(({ message }) => message)).toEqual([
      'shutdown_timeout_ms: 10000 -> 5000 (needs a restart)',
      'exchanges.okx.symbols: BTC-USDT -> BTC-USDT, ETH-USDT (applied)',
    ])
    await until('the end of the reload', () => lines('config_reloaded').length === 1)

    writeConfig(['ETH-USDT'], { enabled: 'maybe', prot: 1 })
    running.kill('SIGHUP')
    await until('the refusal', () => lines('config_kept').length === 1)
    const mistakes = lines('config_invalid').map(({ message }) => String(message))
    expect(mistakes).toHaveLength(2)
    expect(mistakes.every((message) => /exchanges\.yaml:\d+ exchanges\.okx\./.test(message))).toBe(true)
    expect(await symbols()).toBe('BTC-USDT ETH-USDT')

    running.kill('SIGTERM')
    expect(await exit).toBe(0)
  })
})

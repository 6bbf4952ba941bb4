/** The built program as a process: exit statuses, signals, what a terminal shows. */

import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { venues } from '../../src/venues/index.ts'
import { MAIN, ROOT, useProgram } from '../helpers/program.ts'
import { until } from '../helpers/service.ts'

const { folder, run, demo, adopt } = useProgram()

describe('exit statuses', () => {
  test('0 for help, with examples and the statuses', async () => {
    const { exit, output } = run(['--help'])
    expect(await exit).toBe(0)
    expect(output()).toMatch(/Examples:[\s\S]*marketprism start[\s\S]*78 configuration error/)
    for (const command of ['start', 'demo', 'normalize', 'sim', 'config']) {
      const help = run([command, '--help'])
      expect(await help.exit).toBe(0)
      expect(help.output()).toContain('Examples:')
    }
  })

  test('64 for wrong usage, with what was wrong', async () => {
    const { exit, output } = run(['strat'])
    expect(await exit).toBe(64)
    expect(output()).toContain("unknown command 'strat'")
    const option = run(['start', '--prot', '1'])
    expect(await option.exit).toBe(64)
    expect(option.output()).toContain('--prot')
    // The demo has a folder of its own: data must not be looked for elsewhere.
    const elsewhere = run(['demo', '--data-dir', folder])
    expect(await elsewhere.exit).toBe(64)
    expect(elsewhere.output()).toContain('--data-dir')
  })

  test('78 for configuration errors: all of them, with file, line and a suggestion', async () => {
    const config = mkdtempSync(join(folder, 'config-'))
    writeFileSync(join(config, 'service.yaml'), 'environment: production\napi:\n  prot: 1\n')
    writeFileSync(join(config, 'exchanges.yaml'), 'exchanges:\n  okx:\n    enabled: maybe\n')
    const { exit, output } = run(['start', '--config', config], { API_PORT: 'many' })
    expect(await exit).toBe(78)
    expect(output()).toMatch(/service\.yaml:3 .*prot.*did you mean .*port/i)
    expect(output()).toMatch(/exchanges\.yaml:3 .*enabled/)
    expect(output()).toMatch(/API_PORT/)
    expect(output()).not.toMatch(/\bat .*\.js:\d+/)
  })

  test('78 for a log file that cannot be written, with the option to change', async () => {
    const config = mkdtempSync(join(folder, 'config-'))
    const file = join(config, 'service.yaml', 'logs', 'collector.log')
    writeFileSync(join(config, 'service.yaml'), `log:\n  file: ${file}\n`)
    const { exit, output } = run(['start', '--config', config, '--port', '0'])
    expect(await exit).toBe(78)
    expect(output()).toContain(`log.file: cannot write ${file} (ENOTDIR)`)
    expect(output()).not.toMatch(/\bat .*\.js:\d+/)
  })

  test('98 when the port is taken, before anything else is opened', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as AddressInfo
    const { exit, output } = run(['demo', '--port', String(port)])
    expect(await exit).toBe(98)
    expect(output()).toContain(`Port ${port}`)
    holder.close()
  })

  test('73 when another process has the log', { timeout: 40_000 }, async () => {
    const config = mkdtempSync(join(folder, 'config-'))
    const off = venues.map(({ id }) => `  ${id}: { enabled: false }`)
    writeFileSync(join(config, 'exchanges.yaml'), ['exchanges:', ...off, ''].join('\n'))
    const args = ['start', '--port', '0', '--config', config, '--data-dir', join(config, 'data')]
    const first = run(args)
    await until(
      'the log',
      () => first.output().includes('spool_opened') || first.output().includes('log is open'),
      20_000,
    )
    const { exit, output } = run(args)
    expect(await exit).toBe(73)
    expect(output()).toContain(`is in use by process ${first.child.pid}`)
  })

  test('the simulator ends too when it cannot start, and says why', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as AddressInfo
    const taken = run(['sim', '--port', String(port)])
    expect(await taken.exit).toBe(98)
    holder.close()
    const missing = run(['sim', '--capture', 'nowhere.jsonl'])
    expect(await missing.exit).toBe(64)
    expect(missing.output()).toContain('cannot read the recording')
    const unwritable = run(['sim', '--config-out', `${MAIN}/x`])
    expect(await unwritable.exit).toBe(64)
    expect(unwritable.output()).not.toContain('    at ')
  })
})

describe('signals', () => {
  test('SIGTERM: /health is 503 from then on, sockets close, exit status 0 within 10 s', {
    timeout: 40_000,
  }, async () => {
    const { child, url, exit, output } = await demo()
    await until('data', async () => (await fetch(`${url}/health/ready`)).status === 200, 15_000)
    const statuses: number[] = []
    const startMs = performance.now()
    child.kill('SIGTERM')
    const watch = (async () => {
      for (;;) {
        try {
          statuses.push((await fetch(`${url}/health`, { headers: { connection: 'close' } })).status)
        } catch {
          return
        }
      }
    })()
    expect(await exit).toBe(0)
    expect(performance.now() - startMs).toBeLessThan(10_000)
    await watch
    expect(statuses.slice(1).every((status) => status === 503)).toBe(true)
    expect(output()).toMatch(/service_stopped/)
  })

  test('a log that nobody reads any more ends nothing', { timeout: 40_000 }, async () => {
    const { child, url, exit } = await demo()
    child.stdout?.destroy()
    child.stderr?.destroy()
    child.kill('SIGHUP')
    const lost = async () => (await (await fetch(`${url}/api/v1/warnings`)).text()).includes('"output_lost"')
    await until('the warning', lost, 15_000)
    child.kill('SIGTERM')
    expect(await exit).toBe(0)
  })

  test.skipIf(!existsSync('/dev/full'))(
    'nor does a full disk behind standard output',
    { timeout: 40_000 },
    async () => {
      const holder = createServer().listen(0, '127.0.0.1')
      await new Promise((resolve) => holder.once('listening', resolve))
      const { port } = holder.address() as AddressInfo
      await new Promise((resolve) => holder.close(resolve))
      const full = openSync('/dev/full', 'w')
      const args = [MAIN, 'demo', '--port', String(port)]
      const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', full, 'ignore'] })
      closeSync(full)
      adopt(child)
      const isReady = () =>
        fetch(`http://127.0.0.1:${port}/health/ready`).then(
          ({ ok }) => ok,
          () => false,
        )
      await until('data', isReady, 20_000)
    },
  )

  test('a signal in the moment in which the start is told stops it in order', { timeout: 120_000 }, async () => {
    for (let i = 0; i < 5; i++) {
      const { child, exit, output } = run(['demo', '--port', '0'])
      child.stdout?.on('data', () => {
        if (/answers at/.test(output()) && !child.killed) child.kill('SIGTERM')
      })
      expect(await exit).toBe(0)
    }
  })

  test('a signal to npm, which does not pass it on, stops the service all the same', { timeout: 40_000 }, async () => {
    const npm = spawn('npm', ['run', 'demo', '--', '--port', '0'], { cwd: ROOT })
    adopt(npm)
    let output = ''
    npm.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const url = () => /answers at (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1]
    await until('the URL', url, 30_000)
    npm.kill('SIGTERM')
    await until('the port to be closed', () =>
      fetch(`${url()}/health`).then(
        () => false,
        () => true,
      ),
    )
  })

  test('a second signal ends it at once', { timeout: 30_000 }, async () => {
    const { child, exit } = await demo()
    child.kill('SIGTERM')
    child.kill('SIGINT')
    expect([0, 130]).toContain(await exit)
  })
})

describe('what it says', () => {
  test('the demo prints its URLs and calls its data simulated, in the log, the API and the metrics', {
    timeout: 30_000,
  }, async () => {
    const { url, output } = await demo(['--log-format', 'json'])
    await until('the banner', () => output().includes('SIMULATED DATA'))
    expect(output()).toContain(`${url}/api/v1/status`)
    const first = output()
      .split('\n')
      .find((line) => line.startsWith('{')) as string
    expect(JSON.parse(first)).toMatchObject({ level: 'INFO', environment: 'simulation', event: 'service_started' })
    const status = (await (await fetch(`${url}/api/v1/status`)).json()) as { data: { environment: string } }
    expect(status.data.environment).toBe('simulation')
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('environment="simulation"')
  })

  test('the metrics of the running service pass promtool without a remark', { timeout: 40_000 }, async (context) => {
    try {
      execFileSync('promtool', ['--version'], { stdio: 'ignore' })
    } catch {
      console.warn('SKIPPED: promtool is not installed (Debian package prometheus)')
      context.skip('promtool is not installed')
    }
    const { url } = await demo()
    await until('data', async () => (await fetch(`${url}/health/ready`)).status === 200, 15_000)
    await fetch(`${url}/api/v1/collector/data?limit=0`)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    const checked = execFileSync('promtool', ['check', 'metrics'], {
      input: metrics,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    expect(checked).toBe('')
  })

  test('every documented variable is read', async () => {
    const variables = {
      ENVIRONMENT: 'staging',
      API_PORT: '9123',
      API_HOST: '127.0.0.2',
      LOG_LEVEL: 'warning',
      LOG_FORMAT: 'json',
      ENABLE_ORDERBOOK: 'false',
      ENABLE_WEBSOCKET: 'no',
      COLLECTION_INTERVAL: '7',
      NATS_URL: 'nats://user:pw@127.0.0.1:4222',
      PYTHONPATH: '/app',
      PYTHONUNBUFFERED: '1',
    }
    const { exit, output } = run(['config'], variables)
    expect(await exit).toBe(0)
    for (const [name] of Object.entries(variables).filter(([name]) => !name.startsWith('PYTHON'))) {
      expect(output()).toContain(`env ${name}`)
    }
    expect(output()).toMatch(/api\.port +9123 +env API_PORT/)
    expect(output()).toMatch(/collection_interval_seconds +7 +env COLLECTION_INTERVAL/)
    expect(output()).not.toContain('pw@')
  })
})

/** Secrets of a running service are in nothing that comes out of it, while everything that needs them fails. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { useProgram } from '../helpers/program.ts'
import { until } from '../helpers/service.ts'

const TOKEN = 'c4n4ry-api-token'
const SECRETS = {
  API_TOKEN: TOKEN,
  NATS_URL: 'nats://natsuser:c4n4ry-nats-url@127.0.0.1:1',
  CLICKHOUSE_PASSWORD: 'c4n4ry-clickhouse-password',
}
const NATS = { token: 'c4n4ry-nats-token', password: 'c4n4ry-nats-password' }
const CANARY = /c4n4ry-[a-z-]+/g

const { folder, run, demo } = useProgram()
/** A store that repeats in its errors what it was sent, as careless servers do. */
let echo: Server
beforeAll(async () => {
  echo = createServer((request, response) => {
    response.writeHead(500).end(`refused: ${JSON.stringify(request.headers)} ${request.url}`)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  writeFileSync(join(folder, 'service.yaml'), `nats:\n  token: ${NATS.token}\n  password: ${NATS.password}\n`)
})
afterAll(() => {
  echo.closeAllConnections()
  echo.close()
})

const filesBelow = (place: string): string[] =>
  readdirSync(place, { withFileTypes: true }).flatMap((entry) => {
    const path = join(place, entry.name)
    return entry.isDirectory() ? filesBelow(path) : path
  })

test('log, API, metrics, files and the end of the process hold none', { timeout: 90_000 }, async () => {
  const clickhouse = `http://user:c4n4ry-clickhouse-url@127.0.0.1:${(echo.address() as AddressInfo).port}`
  const logFile = join(folder, 'log', 'service.log')
  writeFileSync(
    join(folder, 'service.yaml'),
    `nats:\n  token: ${NATS.token}\n  password: ${NATS.password}\nlog:\n  file: ${logFile}\n  level: DEBUG\n`,
  )
  const environment = { ...SECRETS, CLICKHOUSE_URL: clickhouse }
  const running = await demo(['--config', folder], environment)
  await until(
    'both stores to fail',
    () => /clickhouse/.test(running.output()) && /cannot connect to NATS/.test(running.output()),
    40_000,
  )
  const answers: string[] = []
  for (const path of [
    '/health',
    '/metrics',
    '/api/v1/status',
    '/api/v1/feeds',
    '/api/v1/collector/status',
    '/openapi.json',
    '/docs',
    '/nothing',
    '/api/v1/gaps?since=x',
  ]) {
    for (const token of [TOKEN, 'c4n4ry-guess']) {
      const answer = await fetch(running.url + path, { headers: { authorization: `Bearer ${token}` } })
      answers.push(JSON.stringify([...answer.headers]), await answer.text())
    }
  }
  expect(answers.length).toBe(36)
  running.child.kill('SIGHUP')
  await until('the reload', () => running.output().includes('config_reloaded'), 20_000)
  running.child.kill('SIGTERM')
  expect(await running.exit).toBe(0)
  const written = [...filesBelow(join(folder, 'log'))].map((path) => readFileSync(path, 'utf8'))
  expect(written.join('')).toContain('config_reloaded')
  for (const text of [running.output(), ...answers, ...written]) expect(text.match(CANARY) ?? []).toEqual([])
})

test('a configuration that is wrong, and one that is shown, hide them', { timeout: 60_000 }, async () => {
  writeFileSync(
    join(folder, 'service.yaml'),
    'api:\n  token: c4n4ry\nnats:\n  token: [c4n4ry-list]\n  url: "nats://u:c4n4ry-pass@host:1/?x"\nclickhouse:\n  password: { a: c4n4ry-map }\n',
  )
  const wrong = run(['start', '--config', folder])
  expect(await wrong.exit).toBe(78)
  expect(wrong.output()).toMatch(/api\.token/)
  expect(wrong.output().match(/c4n4ry[a-z-]*/g) ?? []).toEqual([])
  writeFileSync(join(folder, 'service.yaml'), `nats:\n  token: ${NATS.token}\n`)
  for (const args of [['config'], ['config', '--json'], ['doctor', '--json', '--listen', '0.1']]) {
    const shown = run([...args, '--config', folder], { ...SECRETS, CLICKHOUSE_URL: 'http://u:c4n4ry-url@127.0.0.1:1' })
    await shown.exit
    expect(shown.output().length, args.join(' ')).toBeGreaterThan(500)
    expect(shown.output().match(CANARY) ?? [], args.join(' ')).toEqual([])
  }
})

test('a crash whose text repeats them hides them', { timeout: 60_000 }, async () => {
  writeFileSync(join(folder, 'service.yaml'), `nats:\n  token: ${NATS.token}\n  password: ${NATS.password}\n`)
  const environment = { ...SECRETS, CLICKHOUSE_URL: 'http://u:c4n4ry%2Furl-pass@127.0.0.1:1' }
  const secrets = [...Object.values(SECRETS), ...Object.values(NATS), environment.CLICKHOUSE_URL, 'c4n4ry/url-pass']
  const bug = join(folder, 'bug.mjs')
  writeFileSync(
    bug,
    `setTimeout(() => { throw new Error('a bug in ' + ${JSON.stringify(secrets.join(' '))}) }, 2000)\n`,
  )
  const running = await demo(['--config', folder], { ...environment, NODE_OPTIONS: `--import ${bug}` })
  expect(await running.exit).toBe(70)
  expect(running.output()).toContain('uncaught_exception')
  expect(running.output()).toContain('a bug in ***')
  expect(running.output().match(/c4n4ry[a-z-]*/g) ?? []).toEqual([])
})

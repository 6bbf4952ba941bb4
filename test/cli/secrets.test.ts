/** Secrets from files: they work, and no one sees them. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useProgram } from '../helpers/program.ts'
import { until } from '../helpers/service.ts'

const { folder, run, demo } = useProgram()
const CANARY = 'canary-7f3a91'

/** A file with a secret, as an orchestrator mounts it. */
function secretFile(name: string, text: string): string {
  mkdirSync(join(folder, 'secrets'), { recursive: true })
  const path = join(folder, 'secrets', name)
  writeFileSync(path, `${text}\n`)
  return path
}

test('a service with secrets in files uses them, and nothing that it says has one', { timeout: 60_000 }, async () => {
  const environment = {
    API_TOKEN_FILE: secretFile('token', `${CANARY}-token`),
    NATS_URL_FILE: secretFile('nats', `nats://collector:${CANARY}-nats@127.0.0.1:1`),
    CLICKHOUSE_URL: 'http://127.0.0.1:1',
    CLICKHOUSE_PASSWORD_FILE: secretFile('clickhouse', `${CANARY}-clickhouse`),
    LOG_LEVEL: 'DEBUG',
  }
  const { url, output } = await demo(['--log-format', 'json'], environment)
  const ask = (path: string, token?: string) =>
    fetch(url + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
  expect((await ask('/api/v1/status')).status).toBe(401)
  expect((await ask('/api/v1/status', `${CANARY}-token`)).status).toBe(200)
  const answers: string[] = []
  await until(
    'both stores to be tried',
    async () => {
      answers.push(await (await ask('/health')).text())
      return /sink:nats[^}]*1/.test(answers.at(-1) ?? '') && /sink_failed[^\n]*clickhouse/.test(output())
    },
    20_000,
  )
  for (const path of ['/metrics', '/api/v1/collector/status', '/openapi.json', '/nowhere']) {
    answers.push(await (await ask(path, `${CANARY}-token`)).text())
  }
  const gaps = run(['gaps', '--url', url], environment)
  expect(await gaps.exit, gaps.output()).toBe(0)
  const config = run(['config'], environment)
  await config.exit
  expect(config.output()).toMatch(/api\.token +\*\*\* +env API_TOKEN_FILE/)
  const said = [...answers, gaps.output(), config.output(), output()].join('\n')
  expect(said.length).toBeGreaterThan(10_000)
  expect(said).not.toContain(CANARY)
})

test('a secret file that cannot be used stops the start and is named, without its content', async () => {
  const { exit, output } = run(['config', '--check'], {
    API_TOKEN_FILE: '/nowhere/token',
    NATS_URL_FILE: secretFile('wrong', `http://${CANARY}@x`),
    CLICKHOUSE_PASSWORD_FILE: secretFile('empty', ' '),
    NATS_PASSWORD: `${CANARY}-one`,
    NATS_PASSWORD_FILE: secretFile('two', `${CANARY}-two`),
  })
  expect(await exit).toBe(78)
  expect(output()).toContain('env API_TOKEN_FILE: there is no file /nowhere/token')
  expect(output()).toMatch(/env CLICKHOUSE_PASSWORD_FILE: \S+empty is empty/)
  expect(output()).toContain('env NATS_PASSWORD: set this or NATS_PASSWORD_FILE, not both')
  expect(output()).toMatch(/env NATS_URL_FILE nats\.url: /)
  expect(output()).not.toContain(CANARY)
})

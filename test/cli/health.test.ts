/** `marketprism health`, as people and containers call it. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { healthText } from '../../src/cli/health.ts'
import { useProgram } from '../helpers/program.ts'
import { until } from '../helpers/service.ts'

const { run, demo } = useProgram()
const servers: ReturnType<typeof createServer>[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A server that answers everything with this; its port. */
async function answering(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => void response.writeHead(status).end(body)).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  return String((server.address() as AddressInfo).port)
}

const screen = { width: undefined, hasColour: false }

test('what does not pass is shown, and everything on request', () => {
  const checks = {
    spool: { status: 'pass', result: '22 MiB' },
    feeds: { status: 'warn', result: '1 of 2 live' },
  } as const
  const document = { status: 'degraded', checks } as const
  expect(healthText(document, false, screen)).toBe(`STATUS  CHECK  RESULT
warn    feeds  1 of 2 live

degraded: 1 of 2 checks pass
`)
  expect(healthText(document, true, screen)).toContain('pass    spool  22 MiB')
  expect(healthText({ status: 'healthy', checks: {} }, false, screen)).toBe('healthy: 0 of 0 checks pass\n')
})

test('a running service is found by its configuration', { timeout: 40_000 }, async () => {
  const { url } = await demo()
  const port = new URL(url).port
  let output = ''
  await until('a service that is not unhealthy', async () => {
    const { exit, output: text } = run(['health', '--all'], { API_PORT: port, API_HOST: '0.0.0.0' })
    const status = await exit
    output = text()
    return status === 0
  })
  expect(output).toMatch(/^STATUS +CHECK +RESULT\n/)
  expect(output).toMatch(/\n(healthy|degraded): \d+ of \d+ checks pass\n$/)
})

test('69 for a service that is unhealthy, for none, and for another one', async () => {
  const document = JSON.stringify({ status: 'unhealthy', checks: { feeds: { status: 'fail', result: 'none live' } } })
  const unhealthy = run(['health', '--port', await answering(503, document)])
  const other = run(['health', '--url', `http://127.0.0.1:${await answering(200, '<html>')}`])
  const none = run(['health', '--port', '1'])
  expect([await unhealthy.exit, await other.exit, await none.exit]).toEqual([69, 69, 69])
  expect(unhealthy.output()).toContain('unhealthy: 0 of 1 checks pass')
  expect(other.output()).toMatch(/is not this service/)
  expect(none.output()).toMatch(/No service answers at http:\/\/127\.0\.0\.1:1: .+ECONNREFUSED/)
})

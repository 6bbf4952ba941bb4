import { expect, test } from 'vitest'
import { loadConfig } from '../../src/ops/config.ts'
import { configEntries, configText } from '../../src/ops/describe.ts'
import { toyVenue } from './toy-venue.ts'

const venues = [toyVenue('alpha')]
const load = (environment: Record<string, string>) => {
  const overrides = [{ path: 'api.port', value: 9000, origin: 'flag --port' }]
  return configEntries(loadConfig({ venues, environment, cwd: '/nonexistent', overrides }), venues)
}

test('each option has its value and its origin, in columns', () => {
  const lines = configText(load({ LOG_LEVEL: 'debug' })).split('\n')
  expect(lines[0]).toMatch(/^environment {2,}production {2,}default$/)
  expect(lines).toContainEqual(expect.stringMatching(/^api\.port {2,}9000 {2,}flag --port$/))
  expect(lines).toContainEqual(expect.stringMatching(/^log\.level {2,}DEBUG {2,}env LOG_LEVEL$/))
  expect(lines).toContainEqual(expect.stringMatching(/^api\.cors_origins {2,}\(none\) {2,}default$/))
  expect(lines).toContainEqual(expect.stringMatching(/^exchanges\.alpha\.symbols {2,}BTC-USDT, ETH-USDT {2,}default$/))
  expect(
    new Set(lines.filter((line) => line.endsWith(' default')).map((line) => line.lastIndexOf('default'))).size,
  ).toBeLessThan(3)
})

test('secrets are never shown', () => {
  const entries = load({ API_TOKEN: 'S3CRET-S3CRET', NATS_URL: 'nats://S3CRET:S3C@RET@host:4222' })
  expect(JSON.stringify(entries) + configText(entries)).not.toMatch(/S3C|RET/)
  expect(entries.find(({ path }) => path === 'api.token')).toMatchObject({ value: '***', origin: 'env API_TOKEN' })
  expect(entries.find(({ path }) => path === 'nats.url')?.value).toBe('nats://***@host:4222')
  expect(load({}).find(({ path }) => path === 'api.token')?.value).toBeUndefined()
})

import { describe, expect, test } from 'vitest'
import { loadConfig, valueAt } from '../../src/ops/config.ts'
import { diffConfig, withApplicable } from '../../src/ops/config-diff.ts'
import { listOptions } from '../../src/ops/config-options.ts'
import { CONFIG_FILES, type Config, configSchemas } from '../../src/ops/config-schema.ts'
import { venues } from '../../src/venues/index.ts'

function configOf(values: Readonly<Record<string, unknown>> = {}): Config {
  const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: 'test' }))
  return loadConfig({ venues, environment: {}, cwd: '/nowhere', overrides }).config
}

const diff = (before: Config, after: Config) => diffConfig(before, after, venues)

describe('the difference of two configurations', () => {
  test('is nothing between equal ones', () => {
    expect(diff(configOf(), configOf())).toEqual([])
  })

  test('names each option with its old and new value, and what it takes', () => {
    const after = configOf({
      'api.port': 9000,
      'log.level': 'DEBUG',
      'collect.quote': false,
      'exchanges.okx.symbols': ['BTC-USDT'],
      'exchanges.okx.rest_url': 'https://example.org/',
      'exchanges.deribit.enabled': false,
    })
    const before = configOf({ 'exchanges.okx.symbols': ['BTC-USDT', 'ETH-USDT'] })
    const change = (path: string, old: string, now: string, isApplied: boolean) => ({
      path,
      before: old,
      after: now,
      isApplied,
    })
    expect(diff(before, after)).toEqual([
      change('api.port', '8084', '9000', false),
      change('log.level', 'INFO', 'DEBUG', true),
      change('exchanges.okx.symbols', 'BTC-USDT, ETH-USDT', 'BTC-USDT', true),
      change('exchanges.okx.rest_url', 'https://openapi.okx.com, https://www.okx.com', 'https://example.org', true),
      change('exchanges.deribit.enabled', 'true', 'false', true),
      change('collect.quote', 'true', 'false', true),
    ])
  })

  test('never shows a secret, and sees that it changed', () => {
    const before = configOf({ 'api.token': 'first-secret', 'nats.url': 'nats://me:first-secret@a.example:4222' })
    const after = configOf({ 'api.token': 'second-secret', 'nats.url': 'nats://me:second-secret@a.example:4222' })
    const changes = diff(before, after)
    expect(changes.map(({ path }) => path)).toEqual(['api.token', 'nats.url'])
    expect(JSON.stringify(changes)).not.toMatch(/secret/)
    expect(diff(configOf(), after).map(({ before: old }) => old)).toEqual(['-', '-'])
  })
})

describe('what a running service takes over', () => {
  /** Another valid value for any option. */
  function other(value: unknown, path: string): unknown {
    if (typeof value === 'boolean') return !value
    if (typeof value === 'number') return value + 1
    if (path === 'environment') return 'staging'
    if (path === 'log.level') return 'ERROR'
    if (path === 'log.format') return 'json'
    if (path === 'spool.mode' || path === 'spool.sync') return 'off'
    if (path === 'spool.when_full') return 'refuse'
    if (path === 'api.cors_origins') return ['https://example.org']
    if (path === 'nats.url') return 'nats://example.org'
    if (path === 'clickhouse.url') return 'http://example.org'
    if (path.endsWith('.symbols')) return ['SOMETHING']
    if (path.includes('.channels.')) {
      const [, venueId, , channel] = path.split('.')
      const venue = venues.find(({ id }) => id === venueId)
      const names = Object.keys(venue?.channels[channel as 'trade']?.endpoints ?? {})
      return names.find((name) => name !== value) ?? value
    }
    if (path.endsWith('_url')) return [path.endsWith('rest_url') ? 'https://example.org' : 'wss://example.org']
    if (path === 'allow_private_hosts') return ['10.0.0.5']
    return 'something-else'
  }

  test('is exactly what the difference calls applied, for every option', () => {
    const before = configOf()
    const paths = CONFIG_FILES.flatMap((file) => listOptions(configSchemas(venues)[file])).map(({ path }) => path)
    for (const path of paths) {
      const value = other(valueAt(before, path), path)
      if (JSON.stringify(value) === JSON.stringify(valueAt(before, path))) continue
      const after = configOf({ [path]: value })
      const [change, ...rest] = diff(before, after)
      expect([change?.path, rest]).toEqual([path, []])
      const taken = valueAt(withApplicable(before, after), path)
      expect(JSON.stringify(taken) === JSON.stringify(valueAt(after, path)), path).toBe(change?.isApplied)
      const isOfSources = /^(exchanges|collect)\./.test(path)
      expect(change?.isApplied, path).toBe(
        isOfSources ||
          ['enable_orderbook', 'log.level', 'allow_insecure_endpoints', 'allow_private_hosts'].includes(path),
      )
    }
  })
})

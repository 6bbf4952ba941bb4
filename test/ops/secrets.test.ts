import { expect, test } from 'vitest'
import { loadConfig } from '../../src/ops/config.ts'
import { secretMask, secretsOf } from '../../src/ops/secrets.ts'
import { venues } from '../../src/venues/index.ts'

test('a mask hides each secret as JSON writes it, the longest first, and no word that is too short', () => {
  const mask = secretMask(['secret', 'secret-and-more', 'with "quotes" \\ (and) [signs]', 'short'])
  const line = JSON.stringify({ message: 'secret-and-more secret with "quotes" \\ (and) [signs] short' })
  expect(JSON.parse(mask(line))).toEqual({ message: '*** *** *** short' })
  expect(secretMask([])(line)).toBe(line)
})

test('the secrets of a configuration are its tokens and passwords, also those in addresses', () => {
  const environment = {
    API_TOKEN: 'token of the api',
    NATS_URL: 'nats://name:p%40ssword@127.0.0.1:4222',
    CLICKHOUSE_URL: 'http://127.0.0.1:8123',
    CLICKHOUSE_PASSWORD: 'of clickhouse',
  }
  const { config } = loadConfig({ venues, environment, cwd: '/' })
  expect(new Set(secretsOf(config, venues))).toEqual(
    new Set([
      'token of the api',
      'token%20of%20the%20api',
      'p%40ssword',
      'p%2540ssword',
      'p@ssword',
      'of clickhouse',
      'of%20clickhouse',
    ]),
  )
})

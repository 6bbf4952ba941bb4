import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PrismError } from '../../src/model/errors.ts'
import { type ConfigSources, type LoadedConfig, loadConfig } from '../../src/ops/config.ts'
import { endpointUrls } from '../../src/ops/config-schema.ts'
import { flagOverrides } from '../../src/ops/environment.ts'
import { toyVenue } from './toy-venue.ts'

const alpha = toyVenue('alpha')
const venues = [alpha, toyVenue('beta-swap')]
let cwd = ''

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'marketprism-config-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

/** Writes files into `./config` and loads them. */
function load(files: Record<string, string>, sources: Partial<ConfigSources> = {}): LoadedConfig {
  mkdirSync(join(cwd, 'config'), { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(cwd, 'config', file), text)
  return loadConfig({ venues, environment: {}, cwd, ...sources })
}

function errorsOf(files: Record<string, string>, sources: Partial<ConfigSources> = {}): string[] {
  try {
    load(files, sources)
  } catch (error) {
    if (error instanceof PrismError && error.code === 'CONFIG_INVALID') return error.message.split('\n')
    throw error
  }
  return []
}

const noneMissing = { 'service.yaml': '', 'exchanges.yaml': '', 'public_data_sources.yaml': '' }

test('without any folder everything has its default, and one warning says so', () => {
  const { config, origins, warnings, folder } = loadConfig({ venues, environment: {}, cwd })
  expect(config.api).toEqual({
    host: '127.0.0.1',
    port: 8084,
    connections_max: 512,
    requests_per_second: 300,
    cors_origins: [],
  })
  expect(config.environment).toBe('production')
  expect(config.log).toEqual({ level: 'INFO', format: 'auto', file_bytes_max: 10_485_760, file_count_max: 5 })
  expect(config.collect).toEqual({ trade: true, ticker: true, quote: true, book: true })
  expect(Object.keys(config.exchanges)).toEqual(['alpha', 'beta-swap'])
  expect(config.exchanges.alpha).toEqual({
    enabled: true,
    symbols: ['BTC-USDT', 'ETH-USDT'],
    rest_url: ['https://api.alpha.example'],
    websocket_url: ['wss://ws.alpha.example:443/v5', 'wss://ws.alpha.example:8443/v5'],
    websocket_market_url: ['wss://market.alpha.example'],
    channels: { trade: 'trade', ticker: 'ticker', quote: 'quote', book: 'book' },
  })
  expect(new Set(origins.values())).toEqual(new Set(['default']))
  expect(folder).toBeUndefined()
  expect(warnings).toHaveLength(1)
})

test('files, then environment, then flags; every value knows where it comes from', () => {
  const { config, origins } = load(
    {
      ...noneMissing,
      'service.yaml': '# a comment\napi:\n  port: 9001\n  host: 0.0.0.0\nlog:\n  level: debug\n',
      'exchanges.yaml':
        'exchanges:\n  alpha:\n    symbols:\n      - SOL-USDT\n    websocket_url: wss://proxy.example/alpha/\n',
    },
    {
      environment: {
        API_PORT: ' 9002 ',
        LOG_LEVEL: 'warning',
        ENABLE_ORDERBOOK: 'off',
        NATS_URL: '',
        PYTHONPATH: '/app',
      },
      overrides: flagOverrides({ port: '9003', host: undefined }),
    },
  )
  expect(config.api.port).toBe(9003)
  expect(config.log.level).toBe('WARNING')
  expect(config.enable_orderbook).toBe(false)
  expect(config.nats.url).toBeUndefined()
  const { alpha: settings } = config.exchanges
  expect(settings?.symbols).toEqual(['SOL-USDT'])
  expect(settings && endpointUrls(settings, alpha.endpoints.public ?? { option: '', urls: [] })).toEqual([
    'wss://proxy.example/alpha',
  ])
  expect(Object.fromEntries(origins)).toMatchObject({
    'api.port': 'flag --port',
    'api.host': 'config/service.yaml:4',
    'log.level': 'env LOG_LEVEL',
    'log.format': 'default',
    enable_orderbook: 'env ENABLE_ORDERBOOK',
    'exchanges.alpha.symbols': 'config/exchanges.yaml:3',
    'exchanges.beta-swap.symbols': 'default',
  })
})

test('every documented variable arrives', () => {
  const { config } = loadConfig({
    venues,
    cwd,
    environment: {
      ENVIRONMENT: 'Staging',
      API_PORT: '0',
      API_HOST: '0.0.0.0',
      LOG_LEVEL: 'Error',
      LOG_FORMAT: 'JSON',
      ENABLE_ORDERBOOK: '0',
      ENABLE_WEBSOCKET: 'no',
      COLLECTION_INTERVAL: '5',
      NATS_URL: 'nats://user:secret@nats.example:4222',
      DATA_DIR: '/var/lib/marketprism',
    },
  })
  expect(config).toMatchObject({
    environment: 'staging',
    api: { port: 0, host: '0.0.0.0' },
    log: { level: 'ERROR', format: 'json' },
    enable_orderbook: false,
    enable_websocket: false,
    collection_interval_seconds: 5,
    nats: { url: 'nats://user:secret@nats.example:4222' },
    data_dir: '/var/lib/marketprism',
  })
})

test('all mistakes of all sources are reported at once, each with its place', () => {
  const errors = errorsOf(
    {
      'service.yaml':
        'api:\n  prot: 1\n  port: 70000\n  token: short\nlog: loud\nenable_orderbook: true\n__proto__: 1\n',
      'exchanges.yaml':
        'exchanges:\n  alhpa: {}\n  alpha:\n    rest_url: [ "http://api.example", "ftp://x", nonsense ]\n    symbols: [A, B, A]\n    channels: { book: deep }\n',
      'public_data_sources.yaml': 'collect:\n  trade: maybe\ncollection_interval_seconds: 30.5\n',
    },
    { environment: { API_HOST: 'x'.repeat(2000), COLLECTION_INTERVAL: 'often', ENABLE_WEBSOCKET: 'perhaps' } },
  )
  expect(errors).toEqual([
    `env API_HOST api.host: expected text of 1 to 1024 characters, received "${'x'.repeat(79)}…`,
    'config/service.yaml:3 api.port: expected a whole number from 0 to 65535, received 70000',
    'config/service.yaml:4 api.token: expected text of 8 to 1024 characters, received a value that is not shown',
    'config/service.yaml:2 api.prot: unknown key; did you mean "port"?',
    'config/service.yaml:5 log: expected keys and values, received "loud"',
    'config/service.yaml:6 enable_orderbook: unknown key; public_data_sources.yaml has "enable_orderbook"',
    'config/service.yaml:7 __proto__: unknown key',
    'config/exchanges.yaml:5 exchanges.alpha.symbols: "A" is listed twice (received ["A","B","A"])',
    'config/exchanges.yaml:4 exchanges.alpha.rest_url.0: http:// is not encrypted and allowed for this machine only (localhost); set allow_insecure_endpoints: true to use it anyway (received "http://api.example")',
    'config/exchanges.yaml:4 exchanges.alpha.rest_url.1: expected a URL that starts with https:// or http:// (received "ftp://x")',
    'config/exchanges.yaml:4 exchanges.alpha.rest_url.2: expected a URL such as https://example.org (received "nonsense")',
    'config/exchanges.yaml:6 exchanges.alpha.channels.book: expected one of book, book-fast, received "deep"',
    'config/exchanges.yaml:2 exchanges.alhpa: unknown key; did you mean "alpha"?',
    'config/public_data_sources.yaml:2 collect.trade: expected true or false, received "maybe"',
    'env ENABLE_WEBSOCKET enable_websocket: expected true or false, received "perhaps"',
    'env COLLECTION_INTERVAL collection_interval_seconds: expected a whole number from 1 to 3600, received "often"',
  ])
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
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
    'config/service.yaml:2 api.prot: unknown key; did you mean "port"?',
    'config/service.yaml:3 api.port: expected a whole number from 0 to 65535, received 70000',
    'config/service.yaml:4 api.token: expected text of 8 to 1024 characters, received a value that is not shown',
    'config/service.yaml:5 log: expected keys and values, received "loud"',
    'config/service.yaml:6 enable_orderbook: unknown key; "enable_orderbook" belongs into public_data_sources.yaml',
    'config/service.yaml:7 __proto__: unknown key',
    `env API_HOST api.host: expected text of 1 to 1024 characters, received "${'x'.repeat(79)}…`,
    'config/exchanges.yaml:2 exchanges.alhpa: unknown key; did you mean "alpha"?',
    'config/exchanges.yaml:4 exchanges.alpha.rest_url.0: http:// is not encrypted and allowed for this machine only (localhost); set allow_insecure_endpoints: true to use it anyway (received "http://api.example")',
    'config/exchanges.yaml:4 exchanges.alpha.rest_url.1: expected a URL that starts with https:// or http:// (received "ftp://x")',
    'config/exchanges.yaml:4 exchanges.alpha.rest_url.2: expected a URL such as https://example.org (received "nonsense")',
    'config/exchanges.yaml:5 exchanges.alpha.symbols: "A" is listed twice (received ["A","B","A"])',
    'config/exchanges.yaml:6 exchanges.alpha.channels.book: expected one of book, book-fast, received "deep"',
    'config/public_data_sources.yaml:2 collect.trade: expected true or false, received "maybe"',
    'env ENABLE_WEBSOCKET enable_websocket: expected true or false, received "perhaps"',
    'env COLLECTION_INTERVAL collection_interval_seconds: expected a whole number from 1 to 3600, received "often"',
  ])
  expect(({} as { trade?: unknown }).trade).toBeUndefined()
})

test('broken files are named with the line, and do not hide the mistakes of the others', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]\n`
  expect(errorsOf({ 'service.yaml': 'api:\n  port: 1\n  port: 2\n', 'exchanges.yaml': bomb })).toEqual([
    'config/service.yaml:3 duplicate key "port"',
    'config/exchanges.yaml: too many aliases',
  ])
  rmSync(join(cwd, 'config', 'exchanges.yaml'))
  expect(errorsOf({ 'service.yaml': 'a: [1\nb: 2\n' })[0]).toMatch(/^config\/service\.yaml:\d not valid YAML: /)
  expect(errorsOf({ 'service.yaml': '- 1\n' })).toEqual([
    'config/service.yaml:1 expected keys and values, received something else',
  ])
  expect(errorsOf({ 'service.yaml': 'data_dir: !!js/function x\n' })[0]).toMatch(
    /^config\/service\.yaml:1 not valid YAML/,
  )
  expect(errorsOf({ 'service.yaml': `# ${'x'.repeat(1_048_576)}\n` })).toEqual([
    'config/service.yaml: larger than 1 MiB',
  ])
  writeFileSync(join(cwd, 'config', 'service.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff]))
  expect(errorsOf({})).toEqual(['config/service.yaml: not UTF-8 text'])
  rmSync(join(cwd, 'config', 'service.yaml'))
  mkdirSync(join(cwd, 'config', 'service.yaml'))
  expect(errorsOf({})[0]).toMatch(/^config\/service\.yaml: cannot be read \(EISDIR/)
})

test('an alias is used, and its value is placed where the alias stands', () => {
  const { config, origins } = load({
    ...noneMissing,
    'exchanges.yaml': 'exchanges:\n  alpha:\n    symbols: &s [SOL-USDT]\n  beta-swap:\n    symbols: *s\n',
  })
  expect(config.exchanges['beta-swap']?.symbols).toEqual(['SOL-USDT'])
  expect(origins.get('exchanges.beta-swap.symbols')).toBe('config/exchanges.yaml:5')
})

test('addresses of private networks are refused unless they are named, in whatever form they are written', () => {
  const of = (url: string, more = '') => ({
    'exchanges.yaml': `${more}exchanges:\n  alpha:\n    websocket_url: "${url}"\n`,
  })
  const hosts = [
    '10.1.2.3',
    '172.31.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '167772161',
    '0x0a.1',
    '[fd00::1]',
    '[fe80::1]',
    '[::ffff:10.0.0.1]',
  ]
  for (const host of hosts) {
    const [error, ...others] = errorsOf(of(`wss://${host}/ws`))
    expect(others).toEqual([])
    expect(error, host).toMatch(/is an address of a private network; name it in allow_private_hosts/)
  }
  for (const host of ['172.32.0.1', '8.8.8.8', '11.0.0.1', '[2606:4700::1]', '10.0.0.1.example', '127.0.0.1'])
    expect(load(of(`wss://${host}/ws`)).config.exchanges.alpha?.websocket_url, host).toEqual([`wss://${host}/ws`])
  const named = of('wss://10.1.2.3/ws', 'allow_private_hosts: ["10.1.2.3"]\n')
  expect(load(named).config.exchanges.alpha?.websocket_url).toEqual(['wss://10.1.2.3/ws'])
  expect(errorsOf(of('wss://10.1.2.4/ws', 'allow_private_hosts: ["10.1.2.3"]\n'))).toHaveLength(1)
  // Not encrypted is another question.
  expect(errorsOf(of('ws://10.1.2.3/ws', 'allow_private_hosts: ["10.1.2.3"]\n'))[0]).toContain('not encrypted')
  expect(errorsOf(of('wss://x.example', 'allow_private_hosts: yes\n'))).toHaveLength(1)
})

test('plain connections may leave the machine only when that is said; loopback always may', () => {
  const plain = 'exchanges:\n  alpha:\n    websocket_url: ws://sim.example:9000/ws\n'
  expect(errorsOf({ 'exchanges.yaml': plain })).toHaveLength(1)
  expect(
    load({ 'exchanges.yaml': `allow_insecure_endpoints: true\n${plain}` }).config.exchanges.alpha?.websocket_url,
  ).toEqual(['ws://sim.example:9000/ws'])
  const local = ['ws://localhost:1', 'ws://127.0.0.1:2/a', 'ws://[::1]:3']
  const { config } = load(
    { 'exchanges.yaml': '' },
    { overrides: [{ path: 'exchanges.alpha.websocket_url', value: local, origin: 'demo' }] },
  )
  expect(config.exchanges.alpha?.websocket_url).toEqual(local)
  for (const url of [
    'ws://localhost.example',
    'ws://127.0.0.1.example',
    'wss://user:pass@x.example',
    'wss://',
    'wss://x?a=b',
  ]) {
    const overrides = [{ path: 'exchanges.alpha.websocket_url', value: url, origin: 'demo' }]
    expect(errorsOf({}, { overrides }), url).toHaveLength(1)
  }
})

test('the folder: a named one must exist; that of the environment comes before ./config', () => {
  expect(errorsOf({}, { configDir: 'nowhere' })).toEqual(['flag --config: there is no folder nowhere'])
  mkdirSync(join(cwd, 'other'))
  writeFileSync(join(cwd, 'other', 'service.yaml'), 'api: { port: 1 }')
  const files = { 'service.yaml': 'api: { port: 2 }' }
  const environment = { MARKETPRISM_CONFIG_DIR: 'other' }
  expect(load(files).config.api.port).toBe(2)
  expect(load(files, { environment }).config.api.port).toBe(1)
  expect(load(files, { environment, configDir: 'config' }).config.api.port).toBe(2)
  const gone = load(files, { environment: { MARKETPRISM_CONFIG_DIR: 'gone' } })
  expect(gone.config.api.port).toBe(2)
  expect(gone.warnings).toEqual([
    'MARKETPRISM_CONFIG_DIR names gone, which is no folder; using config. Not found, so its options have their defaults: config/exchanges.yaml, config/public_data_sources.yaml.',
  ])
  expect(load(noneMissing).warnings).toEqual([])
})

test('keys without a value are not set, and the result is frozen all the way down', () => {
  const { config, origins } = load({ 'service.yaml': 'nats:\n  # url: nats://x\napi:\n  port:\n' })
  expect(config.nats.url).toBeUndefined()
  expect(origins.get('nats.prefix')).toBe('default')
  expect(config.api.port).toBe(8084)
  expect(origins.get('api.port')).toBe('default')
  expect(() => Object.assign(config.api, { port: 1 })).toThrow(TypeError)
  expect(Object.isFrozen(config.exchanges.alpha?.symbols)).toBe(true)
  // Defaults belong to the venue: freezing the result must not freeze them.
  expect(Object.isFrozen(alpha.defaultSymbols)).toBe(false)
})

test('an override below something that is no group is refused, not lost', () => {
  const errors = errorsOf({ 'service.yaml': 'api: 5\n' }, { environment: { API_PORT: '1' } })
  expect(errors).toEqual(['config/service.yaml:1 api: expected keys and values, received 5'])
})

test('whatever the files say, the answer is a configuration or a list of mistakes', () => {
  const keys = fc.constantFrom(
    'api',
    'port',
    'log',
    'level',
    'exchanges',
    'alpha',
    'symbols',
    'rest_url',
    'collect',
    '__proto__',
    '',
  )
  const tree = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('map'),
    ),
    map: fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
  }))
  const text = fc.oneof(
    tree.map.map((value) => stringify(value)),
    fc.string({ unit: 'binary' }),
    fc.string(),
  )
  const file = fc.constantFrom(...(Object.keys(noneMissing) as (keyof typeof noneMissing)[]))
  fc.assert(
    fc.property(file, text, (name, content) => {
      const errors = errorsOf({ ...noneMissing, [name]: content })
      for (const line of errors) expect(line).toMatch(/^config\/\w+\.yaml/)
    }),
    { seed: 1, numRuns: 500 },
  )
})

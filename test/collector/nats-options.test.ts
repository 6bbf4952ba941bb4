import { expect, test } from 'vitest'
import { natsOptions } from '../../src/collector/nats-options.ts'
import { loadConfig } from '../../src/ops/config.ts'
import { NATS_DEFAULTS } from '../../src/sinks/nats/options.ts'
import { venues } from '../../src/venues/index.ts'

function optionsOf(values: Readonly<Record<string, unknown>>) {
  const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: 'test' }))
  return natsOptions(loadConfig({ venues, environment: {}, cwd: '/', configDir: '.', overrides }).config)
}

const url = 'nats://localhost:4222'

test('no server, no sink', () => {
  expect(optionsOf({})).toBeUndefined()
})

test('the defaults of the configuration are those of the sink', () => {
  expect(optionsOf({ 'nats.url': url })).toEqual({ ...NATS_DEFAULTS, servers: [url] })
})

test('everything that is configured arrives', () => {
  const options = optionsOf({
    'nats.url': 'tls://nats.example:4222',
    'nats.nkey_seed': 'SUAAAAAAAAAA',
    'nats.tls.ca_file': '/ca.pem',
    'nats.prefix': 'md.live',
    'nats.stream.name': 'LIVE',
    'nats.stream.bytes_max': 1000,
    'nats.window_messages': 7,
  })
  expect(options).toMatchObject({
    servers: ['tls://nats.example:4222'],
    auth: { nkeySeed: 'SUAAAAAAAAAA' },
    tls: { caFile: '/ca.pem' },
    prefix: 'md.live',
    stream: { name: 'LIVE', bytesMax: 1000 },
    windowMessages: 7,
  })
})

test('a name that NATS could not take is refused', () => {
  for (const prefix of ['', 'a..b', 'a.*', '>', 'a b', '.a']) {
    expect(() => optionsOf({ 'nats.url': url, 'nats.prefix': prefix }), prefix).toThrow(/nats\.prefix/)
  }
  expect(() => optionsOf({ 'nats.url': url, 'nats.stream.name': 'A.B' })).toThrow(/nats\.stream\.name/)
  expect(() => optionsOf({ 'nats.url': 'ws://localhost:80' })).toThrow(/nats\.url/)
})

import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/ops/config.ts'
import { generatedFiles } from '../../src/ops/generated.ts'
import { venues } from '../../src/venues/index.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const empty = mkdtempSync(join(tmpdir(), 'marketprism-empty-'))
const files = generatedFiles(empty)

for (const { path, text } of files) {
  test(`${path} is what the code says`, () => {
    expect(readFileSync(join(root, path), 'utf8'), 'run `npm run docs`').toBe(text)
  })
}

test('the shipped files say exactly the defaults', () => {
  const defaults = loadConfig({ venues, environment: {}, cwd: empty, configDir: '.' })
  const shipped = loadConfig({ venues, environment: {}, cwd: root, configDir: 'config' })
  expect(shipped.config).toEqual(defaults.config)
  expect(shipped.warnings).toEqual([])
  const unset = [...shipped.origins].filter(([, origin]) => origin === 'default').map(([path]) => path)
  const ofNats = [
    'url',
    'token',
    'user',
    'password',
    'nkey_seed',
    'creds_file',
    'tls.ca_file',
    'tls.cert_file',
    'tls.key_file',
  ]
  const ofClickHouse = ['url', 'user', 'password', 'database', 'ca_file']
  const wanted = [
    'api.token',
    'log.file',
    'spool.dir',
    'lake.dir',
    ...ofNats.map((key) => `nats.${key}`),
    ...ofClickHouse.map((key) => `clickhouse.${key}`),
  ]
  expect(unset, 'only what has no default is commented out').toEqual(wanted)
  rmdirSync(empty)
})

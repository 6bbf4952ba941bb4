import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { configCommand } from '../../src/cli/config.ts'
import { VARIABLES, variablesOf } from '../../src/ops/environment.ts'

let folder = ''
let printed = ''
let warned = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'marketprism-command-'))
  mkdirSync(join(folder, 'etc'))
  printed = ''
  warned = ''
  const variables = Object.entries(VARIABLES).flatMap(([variable, source]) => variablesOf({ variable, ...source }))
  for (const variable of [...variables, 'MARKETPRISM_CONFIG_DIR']) vi.stubEnv(variable, '')
  vi.spyOn(process, 'cwd').mockReturnValue(folder)
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    warned += text
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const run = (...args: string[]) => configCommand().parseAsync(args, { from: 'user' })

test('prints every value with its origin; warnings go to stderr', async () => {
  writeFileSync(join(folder, 'etc', 'service.yaml'), 'log:\n  level: DEBUG\n')
  vi.stubEnv('API_PORT', '9001')
  await run('-c', 'etc', '--host', '::1')
  const lines = printed.split('\n')
  expect(lines).toContainEqual(expect.stringMatching(/^api\.host +::1 +flag --host$/))
  expect(lines).toContainEqual(expect.stringMatching(/^api\.port +9001 +env API_PORT$/))
  expect(lines).toContainEqual(expect.stringMatching(/^log\.level +DEBUG +etc\/service\.yaml:2$/))
  expect(lines).toContainEqual(expect.stringMatching(/^exchanges\.deribit\.enabled +true +default$/))
  expect(warned.trimEnd().split('\n')).toHaveLength(1)
})

test('--json has the same for programs', async () => {
  await run('-c', 'etc', '--json', '--port', '0')
  const { folder: from, options } = JSON.parse(printed)
  expect(from).toBe(join(folder, 'etc'))
  expect(options).toContainEqual({ path: 'api.port', value: 0, origin: 'flag --port' })
  expect(options).toContainEqual({ path: 'nats.url', value: null, origin: 'default' })
})

test('--check prints nothing when all is well, and fails with every mistake', async () => {
  await run('-c', 'etc', '--check')
  expect(printed).toBe('')
  writeFileSync(join(folder, 'etc', 'service.yaml'), 'api:\n  prot: 1\n')
  vi.stubEnv('LOG_LEVEL', 'loud')
  await expect(run('-c', 'etc', '--check')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: [
      'etc/service.yaml:2 api.prot: unknown key; did you mean "port"?',
      'env LOG_LEVEL log.level: expected one of DEBUG, INFO, WARNING, ERROR, received "loud"',
    ].join('\n'),
  })
})

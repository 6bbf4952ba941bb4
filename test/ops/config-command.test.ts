import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { configCommand } from '../../src/cli/config.ts'
import { useCommand } from '../helpers/command.ts'

const ran = useCommand()

const run = (...args: string[]) => configCommand().parseAsync(args, { from: 'user' })

test('prints every value with its origin; warnings go to stderr', async () => {
  writeFileSync(join(ran.folder, 'etc', 'service.yaml'), 'log:\n  level: DEBUG\n')
  vi.stubEnv('API_PORT', '9001')
  await run('-c', 'etc', '--host', '::1')
  const lines = ran.printed.split('\n')
  expect(lines).toContainEqual(expect.stringMatching(/^api\.host +::1 +flag --host$/))
  expect(lines).toContainEqual(expect.stringMatching(/^api\.port +9001 +env API_PORT$/))
  expect(lines).toContainEqual(expect.stringMatching(/^log\.level +DEBUG +etc\/service\.yaml:2$/))
  expect(lines).toContainEqual(expect.stringMatching(/^exchanges\.deribit\.enabled +true +default$/))
  expect(ran.warned.trimEnd().split('\n')).toHaveLength(1)
})

test('--json has the same for programs', async () => {
  await run('-c', 'etc', '--json', '--port', '0')
  const { folder: from, options } = JSON.parse(ran.printed)
  expect(from).toBe(join(ran.folder, 'etc'))
  expect(options).toContainEqual({ path: 'api.port', value: 0, origin: 'flag --port' })
  expect(options).toContainEqual({ path: 'nats.url', value: null, origin: 'default' })
})

test('--check prints nothing when all is well, and fails with every mistake', async () => {
  await run('-c', 'etc', '--check')
  expect(ran.printed).toBe('')
  writeFileSync(join(ran.folder, 'etc', 'service.yaml'), 'api:\n  prot: 1\n')
  vi.stubEnv('LOG_LEVEL', 'loud')
  await expect(run('-c', 'etc', '--check')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: [
      'etc/service.yaml:2 api.prot: unknown key; did you mean "port"?',
      'env LOG_LEVEL log.level: expected one of DEBUG, INFO, WARNING, ERROR, received "loud"',
    ].join('\n'),
  })
})

/** `compose.yaml` and what it mounts: valid for the programs that read them, closed where it must be, honest about simulated data. */

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/ops/config.ts'
import { VARIABLES, variablesOf } from '../../src/ops/environment.ts'
import { venues } from '../../src/venues/index.ts'
import { natsMissing } from '../helpers/nats-server.ts'

interface Service {
  readonly image: string
  readonly profiles?: readonly string[]
  readonly container_name?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly networks: Readonly<Record<string, { readonly aliases: readonly string[] }>> | readonly string[]
  readonly ports?: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly secrets?: readonly string[]
  readonly volumes?: readonly string[]
  readonly restart?: string
  readonly security_opt?: readonly string[]
  readonly deploy: { readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string } } }
}
interface Compose {
  readonly name: string
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly name: string }>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const compose = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8'), { merge: true }) as Compose
const services = Object.entries(compose.services)
const folder = mkdtempSync(join(tmpdir(), 'compose-'))
const collector = compose.services['data-collector'] as Service
const demo = compose.services['data-collector-demo'] as Service

const composeMissing = spawnSync('docker-compose', ['version'], { stdio: 'ignore' }).status !== 0
if (composeMissing) console.warn('Not tested by docker-compose: compose.yaml (see scripts/test.mjs).')

beforeAll(() => {
  cpSync(join(ROOT, 'deploy', 'compose'), join(folder, 'deploy', 'compose'), { recursive: true })
  rmSync(join(folder, 'deploy', 'compose', 'secrets'), { recursive: true, force: true })
  execFileSync('sh', ['deploy/compose/secrets.sh'], { cwd: folder })
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('compose.yaml', () => {
  test.skipIf(composeMissing)('docker-compose has no remark', () => {
    const { name, ...rest } = compose
    expect(name).toBe('marketprism')
    // The version that Debian has is older than the name of a project.
    const file = join(folder, 'compose.yaml')
    writeFileSync(file, JSON.stringify(rest))
    const { status, stdout, stderr } = spawnSync('docker-compose', ['-f', file, '--profile', 'demo', 'config'], {
      encoding: 'utf8',
      cwd: folder,
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const effective = parse(stdout) as { readonly services: Readonly<Record<string, object>> }
    expect(Object.keys(effective.services).toSorted()).toEqual(services.map(([name]) => name).toSorted())
  })

  test('the collector has the names, the network and the port of the document', () => {
    expect(collector.container_name).toBe('marketprism-data-collector')
    expect(collector.image).toBe('marketprism_data-collector:latest')
    expect(compose.networks['marketprism-network']?.name).toBe('marketprism_marketprism-network')
    expect(collector.networks).toMatchObject({ 'marketprism-network': { aliases: ['data-collector'] } })
    expect(collector.ports?.[0]).toMatch(/:8084$/)
  })

  test('everything has limits, a health check and a pinned image, and comes up again', () => {
    for (const [name, service] of services) {
      expect(service.deploy.resources.limits, name).toMatchObject({
        cpus: expect.any(String),
        memory: expect.any(String),
      })
      expect(service.restart, name).toBe('unless-stopped')
      // The collector's check is in its image.
      if (service !== collector && service !== demo) {
        expect(service.healthcheck?.test[0], name).toBe('CMD')
        expect(service.image, name).toMatch(/:v?\d+\.\d+/)
      }
    }
  })

  test('the collector waits until its stores are healthy, and may do nothing but its work', () => {
    for (const service of [collector, demo]) {
      expect(service.depends_on).toEqual({
        nats: { condition: 'service_healthy' },
        clickhouse: { condition: 'service_healthy' },
      })
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
    }
  })

  test('ports are open to this machine only unless somebody says otherwise', () => {
    for (const [name, { ports = [] }] of services)
      for (const port of ports) expect(port, name).toMatch(/^(127\.0\.0\.1|\$\{API_BIND:-127\.0\.0\.1\}):/)
  })

  test('who opens the port to others can set a token in the same way', () => {
    expect(collector.ports?.[0]).toContain('API_BIND')
    expect(collector.environment).toMatchObject({ API_TOKEN: expect.stringMatching(/^\$\{API_TOKEN:-\}$/) })
  })

  test('every variable of a collector exists, and no secret stands in the file', () => {
    const known = Object.entries(VARIABLES).flatMap(([variable, source]) => variablesOf({ variable, ...source }))
    for (const service of [collector, demo]) {
      for (const variable of Object.keys(service.environment ?? {})) expect(known).toContain(variable)
    }
    for (const [name, { environment = {}, secrets = [] }] of services) {
      for (const [variable, value] of Object.entries(environment)) {
        if (/PASSWORD|TOKEN|SECRET/.test(variable))
          expect(value, `${name} ${variable}`).toMatch(/^(\/run\/secrets\/|\$\{API_TOKEN:-\}$)/)
        const secret = /^\/run\/secrets\/(.+)$/.exec(value)?.[1]
        if (secret !== undefined) expect(secrets, `${name} ${variable}`).toContain(secret)
      }
      for (const secret of secrets) expect(compose.secrets).toHaveProperty(secret)
    }
  })

  test('what it mounts of the repository is there', () => {
    const mounts = services.flatMap(([, { volumes = [] }]) => volumes).filter((volume) => volume.startsWith('./'))
    expect(mounts.length).toBeGreaterThan(4)
    for (const mount of mounts) expect(existsSync(join(ROOT, mount.split(':')[0] as string)), mount).toBe(true)
  })
})

test('the demo writes nowhere where live data are', () => {
  expect(demo.profiles).toEqual(['demo'])
  const shared = (collector.volumes ?? []).filter((volume) => demo.volumes?.includes(volume))
  expect(shared).toEqual([])
  const config = join(folder, 'demo')
  mkdirSync(config)
  cpSync(join(ROOT, 'deploy', 'compose', 'demo.yaml'), join(config, 'service.yaml'))
  const load = (configDir: string) => loadConfig({ venues, environment: {}, cwd: ROOT, configDir }).config
  const [simulated, live] = [load(config), load('config')]
  expect(simulated.nats.prefix).not.toBe(live.nats.prefix)
  expect(simulated.nats.stream.name).not.toBe(live.nats.stream.name)
  expect(simulated.clickhouse.database).toBe('marketprism_demo')
})

describe('secrets', () => {
  const read = (name: string) => readFileSync(join(folder, 'deploy', 'compose', 'secrets', name), 'utf8')

  test('are made once, are all that is mounted, and others cannot enter their folder', () => {
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      expect(file).toBe(`deploy/compose/secrets/${name}`)
      expect(read(name).length).toBeGreaterThan(40)
    }
    expect(statSync(join(folder, 'deploy', 'compose', 'secrets')).mode & 0o777).toBe(0o700)
    const before = Object.keys(compose.secrets).map(read)
    expect(new Set(before).size).toBe(before.length)
    execFileSync('sh', ['deploy/compose/secrets.sh'], { cwd: folder })
    expect(Object.keys(compose.secrets).map(read)).toEqual(before)
    expect(readFileSync(join(ROOT, '.gitignore'), 'utf8')).toContain('deploy/compose/secrets/')
  })

  test.skipIf(natsMissing !== undefined)(
    'nats-server takes its configuration, with the password that the collector has',
    () => {
      const etc = join(folder, 'container', 'etc', 'nats')
      const secrets = join(folder, 'container', 'run', 'secrets')
      for (const path of [etc, secrets]) mkdirSync(path, { recursive: true })
      cpSync(join(folder, 'deploy', 'compose', 'nats.conf'), join(etc, 'nats.conf'))
      cpSync(join(folder, 'deploy', 'compose', 'secrets', 'nats_auth'), join(secrets, 'nats_auth'))
      const { status, stderr } = spawnSync('nats-server', ['-t', '-c', join(etc, 'nats.conf')], { encoding: 'utf8' })
      expect(status, stderr).toBe(0)
      expect(read('nats_auth')).toContain(`"${read('nats_password')}"`)
      expect(read('nats_auth')).toContain(`user: ${collector.environment?.NATS_USER}`)
    },
  )
})

/** The image, built and run for real. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { builderMissing, buildImage, type Image } from '../helpers/image.ts'
import { until } from '../helpers/service.ts'

const MINUTE_MS = 60_000
/** What the program itself may take in the image; the rest is its base. */
const APP_BYTES_MAX = 45e6
/** The document's table of variables (section 3.2), with other values than the defaults. */
const VARIABLES = {
  ENVIRONMENT: ['staging', 'environment'],
  API_PORT: ['9000', 'api.port'],
  LOG_LEVEL: ['ERROR', 'log.level'],
  ENABLE_ORDERBOOK: ['false', 'enable_orderbook'],
  ENABLE_WEBSOCKET: ['false', 'enable_websocket'],
  COLLECTION_INTERVAL: ['60', 'collection_interval_seconds'],
  PYTHONPATH: ['/app', undefined],
  PYTHONUNBUFFERED: ['1', undefined],
} as const

describe.skipIf(builderMissing !== undefined)('the image', () => {
  let image: Image

  beforeAll(() => {
    image = buildImage()
  }, 15 * MINUTE_MS)
  afterAll(() => image?.remove(), MINUTE_MS)

  test('says what it is and how it wants to be run', () => {
    expect(image.config).toMatchObject({
      User: '10001:10001',
      Entrypoint: ['marketprism'],
      Cmd: ['start'],
      WorkingDir: '/app',
      StopSignal: 'SIGTERM',
      ExposedPorts: { '8084/tcp': {} },
      Volumes: { '/data': {} },
      Healthcheck: { Test: ['CMD', 'marketprism', 'health'] },
    })
    expect(image.config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'MarketPrism Data Collector',
      'org.opencontainers.image.licenses': 'MIT',
    })
  })

  test('has the program, what it needs, and the list of it; no tools and no tests', () => {
    const app = join(image.root, 'app')
    expect(readdirSync(app).toSorted()).toEqual(
      ['LICENSE', 'config', 'dist', 'node_modules', 'package.json', 'sbom.cdx.json'].toSorted(),
    )
    const files = readdirSync(app, { recursive: true, encoding: 'utf8' }).map((name) => join(app, name))
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
    expect(bytes).toBeLessThan(APP_BYTES_MAX)
    const sbom = JSON.parse(readFileSync(join(app, 'sbom.cdx.json'), 'utf8')) as {
      readonly components: readonly { readonly name: string; readonly version: string }[]
    }
    const listed = sbom.components.map(({ name, version }) => `${name} ${version}`)
    const lock = JSON.parse(readFileSync(join(app, 'node_modules', '.package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly version: string }>>
    }
    const installed = Object.entries(lock.packages).map(
      ([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)} ${version}`,
    )
    expect(new Set(listed), 'the list of parts is what is installed').toEqual(new Set(installed))
    expect(listed.length).toBeGreaterThan(20)
    for (const tool of ['typescript', 'vitest', '@biomejs/biome'])
      expect(existsSync(join(app, 'node_modules', tool)), tool).toBe(false)
    for (const place of ['usr/lib', 'usr/local/lib']) {
      expect(existsSync(join(image.root, place, 'node_modules')), `npm in ${place}`).toBe(false)
    }
    expect(statSync(join(image.root, 'data')).uid).toBe(10001)
  })

  test('every documented variable counts', { timeout: 2 * MINUTE_MS }, async () => {
    const environment = Object.fromEntries(Object.entries(VARIABLES).map(([name, [value]]) => [name, value]))
    const container = image.run(image.dataFolder(), ['config', '--json'], environment)
    expect(await container.exit, container.output()).toBe(0)
    const { options, warnings } = JSON.parse(container.output()) as {
      readonly warnings: readonly string[]
      readonly options: readonly { readonly path: string; readonly value: unknown; readonly origin: string }[]
    }
    for (const [name, [value, path]] of Object.entries(VARIABLES)) {
      if (path === undefined) continue
      const option = options.find((candidate) => candidate.path === path)
      expect([String(option?.value), option?.origin]).toEqual([value, `env ${name}`])
    }
    const effective = (path: string) => options.find((option) => option.path === path)?.value
    expect([effective('data_dir'), effective('api.host')]).toEqual(['/data', '0.0.0.0'])
    expect(warnings, 'the configuration files of the image are found').toEqual([])
  })

  test('runs as its user on a read-only root, is healthy, and ends in order', { timeout: 4 * MINUTE_MS }, async () => {
    const container = image.run(image.dataFolder(), ['demo'])
    const health = () => container.exec('marketprism', 'health')
    await until('a health that passes', () => health().status === 0, 2 * MINUTE_MS)
    expect(health().output).toMatch(/(healthy|degraded): \d+ of \d+ checks pass/)
    const look = `const { readFileSync, writeFileSync } = require('node:fs')
      const tried = ['/app/x', '/tmp/x', '/x', '/data/x'].map((path) => {
        try { writeFileSync(path, ''); return 'written' } catch ({ code }) { return code }
      })
      const of = (name) => new RegExp(name + ':\\\\s*(\\\\S+)').exec(readFileSync('/proc/1/status', 'utf8'))[1]
      console.log(JSON.stringify({ tried, user: of('Uid'), capabilities: of('CapEff'), noNew: of('NoNewPrivs') }))`
    const { tried, ...rights } = JSON.parse(container.exec('node', '-e', look).output)
    expect(rights).toEqual({ user: '10001', capabilities: '0000000000000000', noNew: '1' })
    expect(tried.at(-1)).toBe('written')
    for (const outcome of tried.slice(0, -1)) expect(outcome).toMatch(/^(EROFS|ENOENT|EACCES)$/)
    const pages = `Promise.all(['/', '/docs', '/metrics'].map(async (path) => {
        const answer = await fetch('http://127.0.0.1:8084' + path)
        return [path, answer.status, (await answer.text()).length > 500]
      })).then((all) => console.log(JSON.stringify(all)))`
    expect(JSON.parse(container.exec('node', '-e', pages).output)).toEqual([
      ['/', 200, true],
      ['/docs', 200, true],
      ['/metrics', 200, true],
    ])
    container.kill('TERM')
    expect(await container.exit).toBe(0)
    expect(container.output()).toContain('"event":"service_stopped"')
  })

  test('as it is, it keeps its data in /data and takes them up again after a kill', {
    timeout: 4 * MINUTE_MS,
  }, async () => {
    const data = image.dataFolder()
    const isAlive =
      "fetch('http://127.0.0.1:8084/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"
    const started = async () => {
      const container = image.run(data)
      await until('a living process', () => container.exec('node', '-e', isAlive).status === 0, MINUTE_MS)
      await until('the log', () => container.output().includes('"event":"spool_opened"'), MINUTE_MS)
      return container
    }
    const killed = await started()
    killed.kill('KILL')
    expect(await killed.exit).toBe(137)
    expect(readdirSync(data)).toEqual(expect.arrayContaining(['ledger', 'spool']))
    const second = await started()
    second.kill('TERM')
    expect(await second.exit).toBe(0)
  })
})

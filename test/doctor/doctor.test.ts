/** `marketprism doctor` against simulated exchanges with faults, a real NATS server, and servers that are not what they should be. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { examine } from '../../src/doctor/doctor.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { loadConfig } from '../../src/ops/config.ts'
import { systemClock } from '../../src/platform/clock.ts'
import type { Platform } from '../../src/platform/platform.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import type { FaultSpec } from '../../src/sim/faults.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { venues } from '../../src/venues/index.ts'
import { NatsServer, natsMissing } from '../helpers/nats-server.ts'

const LISTEN_MS = 8_000
let folder = ''
let simulator: Simulator | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'))
})
afterEach(async () => {
  expect(simulator?.violations() ?? []).toEqual([])
  await simulator?.stop()
  simulator = undefined
  rmSync(folder, { recursive: true, force: true })
})

/** The doctor's findings on these venues, simulated with these faults. */
async function doctor(
  ids: readonly string[],
  faults: readonly FaultSpec[] = [],
  over: {
    readonly values?: Readonly<Record<string, unknown>>
    readonly platform?: Partial<Platform>
    readonly listenMs?: number
  } = {},
): Promise<Finding[]> {
  simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 3, faults })
  const { options } = simulator
  const values: Record<string, unknown> = {
    data_dir: folder,
    'spool.quota_bytes': 16_777_216,
    'spool.segment_bytes': 4_194_304,
    'lake.enabled': false,
    ...Object.fromEntries(venues.map(({ id }) => [`exchanges.${id}.enabled`, ids.includes(id)])),
    ...Object.fromEntries(
      ids.flatMap((id) => Object.entries(options(id)).map(([key, url]) => [`exchanges.${id}.${key}`, url])),
    ),
    ...over.values,
  }
  const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: 'test' }))
  const loaded = loadConfig({ venues, environment: {}, cwd: folder, overrides })
  const platform = { ...systemPlatform(), ...over.platform }
  const findings: Finding[] = []
  for await (const finding of examine({ loaded, venues, platform, listenMs: over.listenMs ?? LISTEN_MS }))
    findings.push(finding)
  return findings
}

const of = (findings: readonly Finding[], check: string) => findings.find((finding) => finding.check === check)
const bad = (findings: readonly Finding[]) =>
  findings.filter(({ check, status }) => status !== 'ok' && check !== 'configuration')

test('everything good: each venue, endpoint, stream, clock and limit has a line, and nothing is left behind', {
  timeout: 60_000,
}, async () => {
  const findings = await doctor(venues.map(({ id }) => id))
  // A stream of a simulated market may be quiet for long; nothing else may be worse than good.
  expect(bad(findings).filter(({ found }) => !found.includes(': nothing in '))).toEqual([])
  const checks = findings.map(({ check }) => check)
  for (const { id, endpoints } of venues) {
    for (const check of ['rest', 'limits', 'trade', 'ticker', 'quote', 'book', 'clock'])
      expect(checks, `${id} ${check}`).toContain(`${id} ${check}`)
    expect(checks.filter((check) => check.startsWith(`${id} websocket `)).length).toBeLessThanOrEqual(
      Object.keys(endpoints).length,
    )
  }
  expect(of(findings, 'binance limits')?.found).toMatch(/^left of weight 9\d\.\d % \(as the venue tells\)$/)
  expect(readdirSync(folder)).toEqual([])
})

describe('a venue', () => {
  test('that is banned: said with the time, and not asked again by the next doctor', { timeout: 30_000 }, async () => {
    const faults: FaultSpec[] = [{ kind: 'rest-status', venue: 'binance', status: 418, retry_after: 600 }]
    const findings = await doctor(['binance'], faults)
    expect(of(findings, 'binance rest')).toMatchObject({
      status: 'fail',
      advice: 'wait until it is over; nothing else may ask from this address meanwhile',
    })
    expect(of(findings, 'binance trade')?.status).toBe('ok')
    await simulator?.stop()
    const { options } = simulator as Simulator
    const again = await doctor(['binance'], [], {
      values: { 'exchanges.binance.rest_url': options('binance').rest_url },
    })
    expect(of(again, 'binance rest')?.found).toMatch(/^banned until .* as remembered$/)
  })

  test('that cannot be reached', { timeout: 30_000 }, async () => {
    const values = {
      'exchanges.okx.rest_url': 'http://127.0.0.1:1',
      'exchanges.okx.websocket_url': ['ws://127.0.0.1:1', 'ws://127.0.0.1:2'],
    }
    const findings = await doctor(['okx'], [], { values })
    expect(of(findings, 'okx rest')).toMatchObject({ status: 'fail', found: expect.stringContaining('ECONNREFUSED') })
    expect(of(findings, 'okx websocket public')).toMatchObject({
      status: 'fail',
      found: expect.stringMatching(/127\.0\.0\.1:1: .*ECONNREFUSED.*; 127\.0\.0\.1:2: .*ECONNREFUSED/),
      advice: expect.stringContaining('check network'),
    })
    expect(of(findings, 'okx trade')).toBeUndefined()
  })

  test('whose second host is good: a warning names the first', { timeout: 30_000 }, async () => {
    const first = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 3 })
    const good = first.options('okx').websocket_url as string
    const findings = await doctor(['okx'], [], {
      values: { 'exchanges.okx.websocket_url': ['ws://127.0.0.1:1', good] },
    })
    expect(of(findings, 'okx websocket public')).toMatchObject({
      status: 'warn',
      found: expect.stringMatching(/opened in \d+ ms; 127\.0\.0\.1:1: .*ECONNREFUSED/),
    })
    expect(of(findings, 'okx book')?.status).toBe('ok')
    await first.stop()
  })

  test('that answers nonsense', { timeout: 30_000 }, async () => {
    const faults: FaultSpec[] = [{ kind: 'rest-malformed', venue: 'deribit', how: 'garbage', count: 9 }]
    expect(of(await doctor(['deribit'], faults), 'deribit rest')?.status).toBe('fail')
  })

  test('that does not list a symbol, or refuses it', { timeout: 30_000 }, async () => {
    const values = { 'exchanges.okx.symbols': ['NOPE-USDT'] }
    const findings = await doctor(['okx'], [], { values })
    expect(of(findings, 'okx rest')).toEqual({
      check: 'okx rest',
      status: 'warn',
      found: expect.stringMatching(/^0 of 1 symbols listed/),
      advice: 'OKX does not list NOPE-USDT: correct exchanges.okx.symbols',
    })
    expect(of(findings, 'okx trade')).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('refused: 60018'),
    })
  })

  test('that is silent on a stream', { timeout: 30_000 }, async () => {
    const faults: FaultSpec[] = [{ kind: 'mute', venue: 'okx', channel: 'book' }]
    const findings = await doctor(['okx'], faults, { listenMs: 1_500 })
    expect(of(findings, 'okx book')).toMatchObject({
      status: 'warn',
      found: expect.stringContaining('nothing in 1.5 s'),
    })
  })
})

describe('messages', () => {
  test('with an unknown field: understood, and the field is named', { timeout: 30_000 }, async () => {
    const faults: FaultSpec[] = [{ kind: 'malformed', venue: 'binance', channel: 'ticker', how: 'fields', count: 99 }]
    expect(of(await doctor(['binance'], faults), 'binance ticker')).toMatchObject({
      status: 'warn',
      found: expect.stringMatching(/; unknown: unknown_since_today$/),
    })
  })

  test('with a field that is gone: named, whether it is needed or not', { timeout: 30_000 }, async () => {
    const without = (field: string): Partial<Platform> => ({ net: tampered((text) => text.replace(field, '"gone":')) })
    const harmless = await doctor(['binance'], [], { platform: without('"w":') })
    expect(of(harmless, 'binance ticker')).toMatchObject({
      status: 'warn',
      found: expect.stringMatching(/missing: data\.w; unknown: data\.gone$/),
    })
    await simulator?.stop()
    const needed = await doctor(['binance'], [], { platform: without('"A":') })
    expect(of(needed, 'binance quote')).toMatchObject({
      status: 'fail',
      found: expect.stringMatching(/cannot be read: A: .*; missing: data\.A; unknown: data\.gone$/),
    })
    await simulator?.stop()
    const nameless = await doctor(['binance'], [], { platform: without('"B":'), listenMs: 2_000 })
    expect(of(nameless, 'binance quote')).toMatchObject({
      status: 'warn',
      found: expect.stringContaining('nothing in'),
    })
    expect(of(nameless, 'binance messages')?.found).toMatch(/^not understood: no_event_type \(\d+\)$/)
  })
})

/** The real network, with every frame that comes changed. */
function tampered(change: (text: string) => string): Platform['net'] {
  const { net } = systemPlatform()
  return {
    connect: (options, handlers) =>
      net.connect(options, { ...handlers, frame: (bytes) => handlers.frame(Buffer.from(change(bytes.toString()))) }),
  }
}

test.each([
  [-2_000, 'warn', /^ours is at least 1\.9\d\d s behind|^ours is at least 2\.000 s behind/],
  [60_000, 'fail', /^ours is at most 60\.\d{3} s ahead/],
] as const)('a clock that is wrong by %i ms', { timeout: 30_000 }, async (wrongMs, status, found) => {
  const clock = systemClock()
  const platform = { clock: { ...clock, nowUs: () => clock.nowUs() + wrongMs * 1000 } }
  expect(of(await doctor(['okx'], [], { platform }), 'okx clock')).toMatchObject({
    status,
    found: expect.stringMatching(found),
    advice: expect.stringContaining('NTP'),
  })
})

describe('disk', () => {
  const files = (free: number) => ({ files: { ...systemPlatform().files, freeBytes: async () => free } })

  test('that is nearly full, or has less room than is allowed', async () => {
    const full = await doctor([], [], { platform: files(1_000_000) })
    expect(of(full, 'disk data')).toMatchObject({ status: 'fail', found: expect.stringContaining(': 0 MiB free') })
    await simulator?.stop()
    const values = { 'spool.quota_bytes': 4_000_000_000 }
    const small = await doctor([], [], { platform: files(1_000_000_000), values })
    expect(of(small, 'disk log')).toMatchObject({
      status: 'warn',
      advice: 'spool.quota_bytes allows 3815 MiB: make room, or allow less',
    })
  })

  test('that takes nothing', async () => {
    const refusing = {
      files: {
        ...systemPlatform().files,
        create: () => Promise.reject(Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' })),
      },
    }
    expect(of(await doctor([], [], { platform: refusing }), 'disk data')).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('EROFS'),
    })
  })

  test('a folder that is not there yet is looked for above, and not made', async () => {
    const findings = await doctor([], [], { values: { data_dir: join(folder, 'a', 'b') } })
    expect(of(findings, 'disk data')).toMatchObject({ status: 'ok', found: expect.stringContaining(`${folder}: `) })
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('stores', () => {
  test.skipIf(natsMissing !== undefined)(
    'a NATS server: what is there, and that nothing is made',
    { timeout: 30_000 },
    async () => {
      const server = await NatsServer.start()
      const values = { 'nats.url': server.url }
      for (const _ of [1, 2]) {
        expect(of(await doctor([], [], { values }), 'nats')).toMatchObject({
          status: 'ok',
          found: expect.stringMatching(/^server \d.* with JetStream; stream MARKET_DATA will be made$/),
        })
        await simulator?.stop()
      }
      await server.remove()
      expect(of(await doctor([], [], { values }), 'nats')).toMatchObject({
        status: 'fail',
        found: expect.stringContaining('refused'),
      })
    },
  )

  test('a ClickHouse that is there, that refuses, that is none, that is not there; no password in what is said', async () => {
    let answer: (query: string) => { status: number; body: string } = () => ({ status: 200, body: '["26.7"]\n' })
    const server: Server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { status, body } = answer(decodeURIComponent(request.url ?? '') + Buffer.concat(chunks).toString())
        response.writeHead(status, { 'x-clickhouse-format': 'JSONCompactStringsEachRow' }).end(body)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const look = async (more: Readonly<Record<string, unknown>> = {}) => {
      const values = { 'clickhouse.url': `http://reader:c4n4ry@127.0.0.1:${port}`, ...more }
      const finding = of(await doctor([], [], { values }), 'clickhouse')
      await simulator?.stop()
      expect(JSON.stringify(finding)).not.toContain('c4n4ry')
      return finding
    }
    answer = (query) => ({ status: 200, body: query.includes('version()') ? '["26.7"]\n' : '["1"]\n' })
    expect(await look()).toMatchObject({ status: 'ok', found: 'server 26.7; database marketprism is there' })
    answer = (query) => ({ status: 200, body: query.includes('version()') ? '["26.7"]\n' : '["0"]\n' })
    expect(await look()).toMatchObject({ status: 'ok', found: expect.stringContaining('it will be made') })
    expect(await look({ 'clickhouse.migrate': false })).toMatchObject({ status: 'fail' })
    answer = () => ({
      status: 403,
      body: 'Code: 516. DB::Exception: reader: Authentication failed. (AUTHENTICATION_FAILED)',
    })
    expect(await look()).toMatchObject({ status: 'fail', found: expect.stringContaining('Authentication failed') })
    answer = () => ({ status: 200, body: '<html>' })
    expect(await look()).toMatchObject({ status: 'fail' })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    // Its own port may be someone else's by now.
    const nobody = { 'clickhouse.url': 'http://reader:c4n4ry@127.0.0.1:1' }
    expect(await look(nobody)).toMatchObject({ status: 'fail', found: expect.stringContaining('ECONNREFUSED') })
  })
})

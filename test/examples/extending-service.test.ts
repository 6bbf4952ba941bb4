/** The examples of a venue, a sink and an endpoint in one running service. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { best } from '../../examples/extending/endpoint/best.ts'
import { TapeSink, tape } from '../../examples/extending/sink/tape.ts'
import { toybit } from '../../examples/extending/venue/toybit.ts'
import { toybitSim } from '../../examples/extending/venue/toybit-sim.ts'
import { registries } from '../../src/collector/registries.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import type { LogRecord } from '../../src/spool/frame.ts'
import { type RunningService, startService, until } from '../helpers/service.ts'

const folder = mkdtempSync(join(tmpdir(), 'extending-'))
let simulator: Simulator
let running: RunningService

beforeAll(async () => {
  simulator = await startSimulator({ clock: systemClock(), venues: [toybitSim] })
  running = await startService(
    simulator,
    { toybit: ['BTC-USD'] },
    { data_dir: folder },
    {
      venues: [...registries.venues, toybit],
      sinks: [tape],
      routes: [...registries.routes, best],
    },
  )
  const isLive = () => running.service.collector.feeds().every(({ state }) => state === 'live')
  await until('all feeds to be live', isLive, 20_000)
})

afterAll(async () => {
  await running.stop()
  await simulator.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('the endpoint answers, is described, and refuses what it does not know', async () => {
  const answer = await running.get('/api/v1/best/toybit/BTC-USD')
  expect(answer).toMatchObject({ status: 'success', message: 'Best prices retrieved successfully' })
  expect(answer.data).toEqual({
    venue: 'toybit',
    symbol: 'BTC-USD',
    bid: expect.stringMatching(/^\d+\.\d\d$/),
    ask: expect.stringMatching(/^\d+\.\d\d$/),
  })
  expect(JSON.parse(await running.text('/openapi.json')).paths).toHaveProperty(['/api/v1/best/{venue}/{symbol}', 'get'])
  expect(await running.get('/api/v1/best/toybit/NO-SUCH')).toMatchObject({ status: 'error', error_code: 'NOT_FOUND' })
})

test('the venue is one like all others: in the API, in health, in the metrics', async () => {
  const { data } = await running.get('/api/v1/collector/exchanges')
  expect(data.exchanges.toybit).toMatchObject({ enabled: true, status: 'active' })
  expect(await running.text('/health')).toContain('exchange:toybit')
  expect(await running.text('/metrics')).toMatch(/marketprism_books_live\{venue="toybit"[^}]*\} 1/)
})

test('the sink has every event once', async () => {
  await until('a hundred events', () => running.events.length > 100, 20_000)
  const seen = running.events.map(({ id }) => id)
  const stored = async () => {
    const { files } = systemPlatform()
    const [name = ''] = await files.list(join(folder, 'tape'))
    return (await files.read(join(folder, 'tape', name))) ?? ''
  }
  await until('them to be stored', async () => (await stored()).includes(`"${seen.at(-1)}"`))
  const lines = (await stored()).trimEnd().split('\n')
  const ids = lines.map((line) => JSON.parse(line.slice(line.indexOf(' '))).id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.slice(0, seen.length)).toEqual(seen)
  expect(await running.text('/health')).toContain('"sink:tape"')
})

test('a line that a kill cut short comes again, and nothing else', async () => {
  const ports = {
    platform: systemPlatform(),
    logger: { info: () => {}, warning: () => {} },
    logId: 'torn',
    stateFolder: folder,
    reject: async () => {},
  }
  const record = (lsn: number): LogRecord => {
    const body = Buffer.from(`{"n":${lsn}}`)
    return { lsn, kind: 'event', stream: '', timeUs: 1, bodyBytes: body.length, body }
  }
  const batch = (...lsns: number[]) => ({
    firstLsn: lsns[0] ?? 0,
    lastLsn: lsns.at(-1) ?? 0,
    records: async function* () {
      yield lsns.map(record)
    },
  })
  const path = join(folder, 'torn.tape')
  const first = new TapeSink(folder, ports)
  expect(await first.open()).toEqual({ throughLsn: 0 })
  await first.write(batch(7, 8))
  await first.close()
  const { files } = ports.platform
  await files.truncate(path, readFileSync(path).length - 3)
  const second = new TapeSink(folder, ports)
  expect(await second.open()).toEqual({ throughLsn: 7 })
  await second.write(batch(8, 9))
  await second.close()
  expect(readFileSync(path, 'utf8')).toBe('7 {"n":7}\n8 {"n":8}\n9 {"n":9}\n')
})

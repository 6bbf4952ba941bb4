/** The programs in examples/, each run as its README says, against a real service on simulated exchanges. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { type ClickHouse, clickhouseMissing, freshDatabase, startClickHouse } from '../helpers/clickhouse-server.ts'
import { anyNats, anyNatsMissing } from '../helpers/nats-server.ts'
import { type RunningService, startService, until } from '../helpers/service.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'examples-'))
const lake = join(folder, 'lake')
const database = freshDatabase()
let simulator: Simulator
let running: RunningService
let nats: Awaited<ReturnType<typeof anyNats>> | undefined
let clickhouse: ClickHouse | undefined

beforeAll(async () => {
  if (anyNatsMissing === undefined) nats = await anyNats()
  if (clickhouseMissing === undefined) clickhouse = await startClickHouse()
  simulator = await startSimulator({ clock: systemClock(), venues: simVenues })
  const symbols = { binance: ['BTCUSDT'], okx: ['BTC-USDT'] }
  running = await startService(simulator, symbols, {
    'lake.dir': lake,
    'lake.batch_seconds': 1,
    ...(nats && { 'nats.url': nats.url }),
    ...(clickhouse && { 'clickhouse.url': clickhouse.url, 'clickhouse.database': database }),
  })
}, 120_000)

afterAll(async () => {
  await running.stop()
  await simulator.stop()
  await clickhouse?.query(`DROP DATABASE IF EXISTS ${database}`)
  await clickhouse?.stop()
  await nats?.remove()
  rmSync(folder, { recursive: true, force: true })
})

interface Program {
  readonly child: ChildProcess
  output(): string
}

function start(name: string, ...args: readonly string[]): Program {
  let text = ''
  const child = spawn(process.execPath, [join(root, 'examples', name), ...args], { cwd: root })
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk
    })
  return { child, output: () => text }
}

/** Runs it until it has printed all of `wanted`, then ends it as a person does. */
async function printsAndEnds(program: Program, wanted: readonly RegExp[]): Promise<void> {
  const { child, output } = program
  await until(
    'its output',
    () => wanted.every((pattern) => pattern.test(output())) || child.exitCode !== null,
    30_000,
  ).catch(() => {})
  for (const pattern of wanted) expect(output()).toMatch(pattern)
  if (child.exitCode === null) {
    const ended = once(child, 'exit')
    child.kill('SIGINT')
    await ended
  }
  expect(child.exitCode, output()).toBe(0)
}

/** Runs it again until what it reads is there. */
async function comesToPrint(wanted: readonly RegExp[], make: () => Program): Promise<void> {
  let last = ''
  await until(
    'what it reads',
    async () => {
      const program = make()
      await once(program.child, 'exit')
      last = program.output()
      return wanted.every((pattern) => pattern.test(last))
    },
    60_000,
  ).catch(() => {})
  for (const pattern of wanted) expect(last).toMatch(pattern)
}

test('spread.mjs shows both venues', () =>
  printsAndEnds(start('spread.mjs', running.url.replace('http', 'ws')), [
    /binance BTC-USDT .*\d+\.\d+/,
    /okx BTC-USDT .*\d+\.\d+/,
    /spread bps/,
  ]))

test('spread.mjs says that nobody answers', async () => {
  const { child, output } = start('spread.mjs', 'ws://127.0.0.1:1')
  await once(child, 'exit')
  expect(output()).toContain('Is the service running?')
  expect(child.exitCode).toBe(1)
})

test('parquet.mjs says that there is no lake', async () => {
  const { child, output } = start('parquet.mjs', folder)
  await once(child, 'exit')
  expect(output()).toContain('has the collector written a batch')
  expect(child.exitCode).toBe(1)
})

test('parquet.mjs sums up the lake', async () => {
  const isStored = (exchange: string) => existsSync(join(lake, 'type=trade', `exchange=${exchange}`))
  await until('files of both exchanges', () => isStored('binance') && isStored('okx'), 60_000)
  await comesToPrint([/binance BTCUSDT/, /okx BTC-USDT/, /trades/], () => start('parquet.mjs', lake))
}, 150_000)

test.skipIf(anyNatsMissing !== undefined)('nats.mjs prints trades of both venues', () =>
  printsAndEnds(start('nats.mjs', nats?.url ?? ''), [/binance BTCUSDT (buy|sell) [\d.]+ @ [\d.]+/, /okx BTC-USDT/]),
)

test.skipIf(clickhouseMissing !== undefined)(
  'clickhouse.mjs prints minutes of trades',
  () =>
    comesToPrint([/binance/, /open/, /\d{4}-\d\d-\d\d \d\d:\d\d/], () =>
      start('clickhouse.mjs', clickhouse?.url ?? '', 'BTCUSDT', database),
    ),
  100_000,
)

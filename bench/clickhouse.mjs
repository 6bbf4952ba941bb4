// `node bench/clickhouse.mjs`: the ClickHouse sink against the bare client with ready bytes, into the same tables of the same
// server, in one run. Prints ratios as well as rates: on a shared machine only ratios mean something.
// CLICKHOUSE_URL names the server; without it the engine of tools/clickhouse is started.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createClient } from '@clickhouse/client'
import { ROOT, setUp } from '../scripts/setup.mjs'

setUp()
const { ClickHouseSink } = await import('../dist/sinks/clickhouse/sink.js')
const { INSERT_SETTINGS } = await import('../dist/sinks/clickhouse/insert.js')
const { insertColumns } = await import('../dist/sinks/clickhouse/schema.js')
const { systemPlatform } = await import('../dist/platform/system.js')

const ROWS = 50_000
const BATCHES = 4
const ROUNDS = 3
/** Records that the log hands out at a time. */
const CHUNK = 1_000
/** 2026-11-29T12:00:00Z */
const NOON_US = 1_795_953_600_000_000
const DATABASE = 'bench_marketprism'

const folder = mkdtempSync(join(tmpdir(), 'bench-clickhouse-'))
const { url, stop } = await server()
const client = createClient({ url })
const sink = new ClickHouseSink(
  { url, database: DATABASE },
  {
    platform: systemPlatform(),
    logger: { info: () => undefined, warning: (event, text) => console.error(event, text) },
    logId: `bench-${process.pid}`,
    stateFolder: folder,
    reject: async (record, reason) => {
      throw new Error(`refused ${record.lsn}: ${reason}`)
    },
  },
)

async function server() {
  if (process.env.CLICKHOUSE_URL !== undefined) return { url: process.env.CLICKHOUSE_URL, stop: () => undefined }
  const script = join(ROOT, 'tools', 'clickhouse', 'server.mjs')
  const child = spawn(process.execPath, [script, join(folder, 'data')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const stop = async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  return { url: `http://127.0.0.1:${/listening (\d+)/.exec(line)[1]}`, stop }
}

const base = (type, n) => ({
  type,
  exchange: 'binance',
  venue: 'binance',
  market: 'spot',
  symbol: `S${n % 50}USDT`,
  instrument: `S${n % 50}-USDT`,
  exchange_time_us: NOON_US + n * 10,
  receive_time_us: NOON_US + n * 10 + 1234,
  id: `binance:${type}:S${n % 50}USDT:0:${n}`,
})
/** As good as random, and the same in every run. */
const hash = (n) => (Math.imul(n, 2_654_435_761) >>> 0) ^ (Math.imul(n ^ 40_503, 2_246_822_519) >>> 0)
const price = (n) => `${95_000 + (Math.abs(hash(n)) % 400)}.${10 + (Math.abs(hash(n + 7)) % 90)}`
const quantity = (n) => `${Math.abs(hash(n)) % 3}.${10_000 + (Math.abs(hash(n + 3)) % 90_000)}`
const KINDS = {
  trade: (n) => ({ ...base('trade', n), trade_id: `${n}`, price: price(n), quantity: quantity(n), side: 'buy' }),
  book_delta: (n) => ({
    ...base('book_delta', n),
    bids: Array.from({ length: 10 }, (_, i) => [price(n + i), quantity(n * 20 + i)]),
    asks: Array.from({ length: 10 }, (_, i) => [price(n - i), quantity(n * 20 + 10 + i)]),
    first_sequence: n,
    last_sequence: n + 1,
  }),
}

let lsn = 1
/** The records of one batch, views of one memory as the log's are, and the same bytes ready to be sent. */
function work(type, rows) {
  const bodies = Array.from({ length: rows }, (_, i) => Buffer.from(`${JSON.stringify(KINDS[type](lsn + i))}\n`))
  const bytes = Buffer.concat(bodies)
  let at = 0
  const records = bodies.map(({ length }) => {
    const body = bytes.subarray(at, at + length - 1)
    at += length
    const stream = `${type} binance binance spot X`
    return { lsn: lsn++, kind: 'event', stream, timeUs: NOON_US, bodyBytes: body.length, body }
  })
  const batch = {
    firstLsn: records[0].lsn,
    lastLsn: lsn - 1,
    async *records() {
      for (let at = 0; at < records.length; at += CHUNK) yield records.slice(at, at + CHUNK)
    },
  }
  return { batch, bytes }
}

let inserts = 0
async function bare(type, bytes) {
  const query = `INSERT INTO ${DATABASE}.${type} (${insertColumns(type).join(', ')}) FORMAT JSONEachRow`
  const settings = { ...INSERT_SETTINGS, insert_deduplication_token: `bare-${process.pid}-${++inserts}` }
  const values = Readable.from([bytes], { objectMode: false })
  const { stream } = await client.exec({ query, values, clickhouse_settings: settings })
  for await (const _ of stream);
}

/** Milliseconds and this process's own CPU milliseconds for all of `jobs`, two at a time. */
async function timed(jobs) {
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  const queue = [...jobs]
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job()
  }
  await Promise.all([worker(), worker()])
  const { user, system } = process.cpuUsage(cpu)
  return { ms: performance.now() - startMs, cpuMs: (user + system) / 1000 }
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]

await sink.open()
for (const [type, rows] of [
  ['trade', ROWS],
  ['book_delta', ROWS / 5],
]) {
  const ratios = []
  for (let round = 0; round <= ROUNDS; round++) {
    const works = Array.from({ length: BATCHES }, () => work(type, rows))
    const bytes = works.reduce((sum, each) => sum + each.bytes.length, 0)
    const runs = {
      bare: () => timed(works.map((each) => () => bare(type, each.bytes))),
      sink: () => timed(works.map((each) => () => sink.write(each.batch))),
    }
    const order = round % 2 === 0 ? ['bare', 'sink'] : ['sink', 'bare']
    const times = {}
    for (const name of order) times[name] = await runs[name]()
    // The first warms up.
    if (round === 0) continue
    ratios.push(times.bare.ms / times.sink.ms)
    const rate = (ms) => `${Math.round((BATCHES * rows) / ms)} k rows/s, ${Math.round(bytes / ms / 1000)} MB/s`
    console.log(
      `${type}: bare ${rate(times.bare.ms)} (${Math.round(times.bare.cpuMs)} ms CPU), sink ${rate(times.sink.ms)} ` +
        `(${Math.round(times.sink.cpuMs)} ms CPU), ratio ${(times.bare.ms / times.sink.ms).toFixed(2)}`,
    )
  }
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)]
  console.log(`${type}: sink / bare client ${median(ratios).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`)
}

const sizes = await client.query({
  query: `SELECT table, round(sum(data_compressed_bytes) / sum(rows), 1) AS bytes_a_row FROM system.parts
    WHERE database = '${DATABASE}' AND active AND rows > 0 GROUP BY table ORDER BY table`,
  format: 'JSONEachRow',
})
console.log('on disk', await sizes.json())
await client.command({ query: `DROP DATABASE ${DATABASE}` })
await sink.close()
await client.close()
await stop()
rmSync(folder, { recursive: true, force: true })

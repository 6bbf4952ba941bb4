// `node bench/nats.mjs`: acknowledged messages a second into a JetStream file stream, in one run: the library's own
// `js.publish` with a full window, a bare window publisher of the same bytes, and our sink behind the durable log.
// Prints ratios as well as rates: on a shared machine only ratios mean something. Needs the program nats-server.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, createInbox, headers } from '@nats-io/transport-node'
import { setUp } from '../scripts/setup.mjs'

setUp()
const { systemPlatform } = await import('../dist/platform/system.js')
const { openSpool } = await import('../dist/spool/open.js')
const { SPOOL_LIMITS } = await import('../dist/spool/options.js')
const { NATS_DEFAULTS } = await import('../dist/sinks/nats/options.js')
const { NATS_TRAITS, NatsSink } = await import('../dist/sinks/nats/sink.js')
const { headerParts } = await import('../dist/sinks/nats/headers.js')

const MESSAGES = Number(process.env.MESSAGES ?? 100_000)
const ROUNDS = Number(process.env.ROUNDS ?? 3)
const WINDOW = NATS_DEFAULTS.windowMessages
/** The bare publisher fills its window again when so many are under way: one write for many messages. */
const REFILL = (WINDOW * 7) / 8
const SUBJECT = 'market.trade.acme.spot.BTCUSDT'
const ROUTE = 'trade acme acme spot BTCUSDT'
const TIME_US = 1_795_392_000_000_000
/** Records that wait for the disk; more could be refused. */
const UNSAVED_MAX = 20_000

const folder = mkdtempSync(join(tmpdir(), 'bench-nats-'))
const platform = systemPlatform()
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const logger = { info() {}, warning() {} }

const idOf = (i) => `acme:trade:BTCUSDT:0:${i}`
const bodies = Array.from({ length: MESSAGES }, (_, i) =>
  Buffer.from(
    JSON.stringify({
      type: 'trade',
      exchange: 'acme',
      venue: 'acme',
      market: 'spot',
      symbol: 'BTCUSDT',
      instrument: 'BTC-USDT',
      exchange_time_us: TIME_US + i,
      receive_time_us: TIME_US + i + 1500,
      id: idOf(i),
      trade_id: String(4_000_000_000 + i),
      price: '95234.56000000',
      quantity: '0.00123000',
      side: 'buy',
      source: 'stream',
    }),
  ),
)

async function startServer() {
  const config = join(folder, 'server.conf')
  writeFileSync(config, `listen: "127.0.0.1:-1"\njetstream { store_dir: "${folder}/store", max_file: 20GB }\n`)
  const child = spawn('nats-server', ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  child.on('error', () => console.error('nats-server is not installed (apt-get install nats-server)'))
  let log = ''
  for await (const bytes of child.stderr) {
    log += bytes
    if (log.includes('Server is ready')) break
  }
  return { child, url: `nats://127.0.0.1:${/client connections on \S+:(\d+)/.exec(log)[1]}` }
}

/** An empty stream; yields how long filling it took. */
async function measure(url, fill) {
  const connection = await connect({ servers: url })
  const jsm = await jetstreamManager(connection)
  const { name } = NATS_DEFAULTS.stream
  await jsm.streams.delete(name).catch(() => {})
  await jsm.streams.add({ name, subjects: ['market.>'], discard: 'new', duplicate_window: 600e9, allow_direct: true })
  const ms = await fill(connection)
  const { messages } = (await jsm.streams.info(name)).state
  if (messages !== MESSAGES) throw new Error(`the stream has ${messages} of ${MESSAGES} messages`)
  await connection.close()
  return ms
}

/** `js.publish`, as many at a time as our window. */
async function library(connection) {
  const js = jetstream(connection)
  const startMs = performance.now()
  let next = 0
  const worker = async () => {
    while (next < MESSAGES) {
      const i = next++
      const own = headers()
      own.set('Mp-Lsn', String(i))
      own.set('Mp-Log', 'bench')
      own.set('Content-Type', 'application/json')
      await js.publish(SUBJECT, bodies[i], { msgID: idOf(i), headers: own })
    }
  }
  await Promise.all(Array.from({ length: WINDOW }, worker))
  return performance.now() - startMs
}

/** The least that can be done: the same bytes on the wire, answers counted and not read. */
async function bare(connection) {
  const inbox = createInbox()
  const { start, middle, end } = headerParts('bench')
  // The library asks headers for nothing but their bytes, and building its own kind costs more than the rest.
  const own = { encode: () => own.bytes, bytes: undefined }
  const options = { reply: inbox, headers: own }
  const startMs = performance.now()
  await new Promise((resolve) => {
    let sent = 0
    let acked = 0
    const send = () => {
      for (; sent < MESSAGES && sent - acked < WINDOW; sent++) {
        own.bytes = Buffer.from(`${start}${idOf(sent)}${middle}${sent}${end}`)
        connection.publish(SUBJECT, bodies[sent], options)
      }
    }
    connection.subscribe(inbox, {
      callback: () => {
        if (++acked === MESSAGES) resolve()
        else if (sent - acked < REFILL) send()
      },
    })
    send()
  })
  return performance.now() - startMs
}

/** Appended to the log, read from it, published, acknowledged, and the cursor set. */
async function ours(url, round) {
  const spool = await openSpool({
    folder: join(folder, `log-${round}`),
    ...platform,
    sinks: ['nats'],
    sync: 'interval',
    whenFull: 'evict',
    limits: SPOOL_LIMITS,
    onLoss: (loss) => {
      throw new Error(`the log has lost records: ${JSON.stringify(loss)}`)
    },
  })
  const ports = { platform, logger, logId: `bench-${round}`, stateFolder: join(folder, `state-${round}`) }
  const sink = new NatsSink({ ...NATS_DEFAULTS, servers: [url] }, ports)
  await sink.open()
  const startMs = performance.now()
  const pumped = pump(spool, sink)
  const stream = spool.stream(ROUTE)
  for (let i = 0; i < MESSAGES; ) {
    for (const end = Math.min(MESSAGES, i + 1000); i < end; i++) spool.append(stream, 'event', TIME_US, bodies[i])
    while (spool.lastLsn - spool.cursor('nats') > UNSAVED_MAX) await sleep(1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await pumped
  const ms = performance.now() - startMs
  await sink.close()
  await spool.close()
  return ms
}

async function pump(spool, sink) {
  const reader = spool.reader(1)
  const running = []
  const settleOldest = async () => {
    const { lastLsn, written } = running.shift()
    await written
    spool.ack('nats', lastLsn)
  }
  for (let lastLsn = 0; lastLsn < MESSAGES; ) {
    await spool.untilReadable(reader.nextLsn)
    const records = await reader.read(NATS_TRAITS)
    if (records.length === 0) continue
    lastLsn = records.at(-1).lsn
    const batch = {
      firstLsn: records[0].lsn,
      lastLsn,
      records: async function* () {
        yield records
      },
    }
    running.push({ lastLsn, written: sink.write(batch) })
    if (running.length === NATS_TRAITS.batchesMax) await settleOldest()
  }
  while (running.length > 0) await settleOldest()
}

const best = (values) => Math.min(...values)
const rate = (ms) => `${Math.round(MESSAGES / ms)} k messages/s`

const { child, url } = await startServer()
try {
  const times = { library: [], bare: [], ours: [] }
  for (let round = 0; round < ROUNDS; round++) {
    times.library.push(await measure(url, library))
    times.bare.push(await measure(url, bare))
    times.ours.push(await measure(url, () => ours(url, round)))
    const line = Object.entries(times).map(([name, values]) => `${name} ${rate(values.at(-1))}`)
    console.log(`round ${round + 1}: ${line.join(', ')}`)
  }
  const [libraryMs, bareMs, oursMs] = [best(times.library), best(times.bare), best(times.ours)]
  console.log(`${MESSAGES} messages of ${bodies[0].length} bytes, ${WINDOW} under way; best of ${ROUNDS} rounds`)
  console.log(`js.publish            ${rate(libraryMs)}`)
  console.log(`bare window           ${rate(bareMs)}`)
  console.log(`log and sink          ${rate(oursMs)}`)
  console.log(
    `                      ${(libraryMs / oursMs).toFixed(2)} of js.publish, ${(bareMs / oursMs).toFixed(2)} of the bare window`,
  )
} finally {
  child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

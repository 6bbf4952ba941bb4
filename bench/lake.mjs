// `node bench/lake.mjs [folder]`: events of the log become Parquet files, against hyparquet-writer alone, which is given
// the same rows as ready columns. In one run, on one disk, in turns, each side in processes of its own. Only the ratio
// means something on a shared machine; that of processor time is steadier than that of time.
import { execFileSync } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { setUp } from '../scripts/setup.mjs'

setUp()
const { systemPlatform } = await import('../dist/platform/system.js')
const { openSpool } = await import('../dist/spool/open.js')
const { SPOOL_LIMITS } = await import('../dist/spool/options.js')
const { LakeSink } = await import('../dist/sinks/lake/lake.js')
const { LAKE_COLUMNS } = await import('../dist/sinks/lake/columns.js')
const { lakeSchema } = await import('../dist/sinks/lake/schema.js')
const { decimalBytes, decimalUnits } = await import('../dist/sinks/lake/decimal.js')
const { CODEC, COMPRESSORS } = await import('../dist/sinks/lake/codec.js')
const { routeText } = await import('../dist/sinks/route.js')
const { seededRandom } = await import('../dist/platform/random.js')

/** Processes of each side, and rounds of each. */
const TURNS = 2
const ROUNDS = 3
const GROUP_ROWS = 100_000
const START_US = 1_795_392_000_000_000
const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'DOGEUSDT']
/** Events of each type in one batch of about 64 MiB. */
const COUNTS = { trade: 90_000, quote: 60_000, book_delta: 15_000 }

const [place = tmpdir(), side, ...sideTypes] = process.argv.slice(2)
const folder = mkdtempSync(join(place, 'bench-lake-'))
const platform = systemPlatform()
const random = seededRandom(7)
const upTo = (end) => Math.floor(random() * end)
const price = (symbol, spread) => (SYMBOLS.indexOf(symbol) * 1000 + 950 + (upTo(spread) - spread / 2) / 100).toFixed(2)
const quantity = () => (Math.floor(random() ** 4 * 1e6) / 1e3).toFixed(8)
const levels = (symbol) => Array.from({ length: 5 + upTo(20) }, () => [price(symbol, 20_000), quantity()])

const MADE = {
  trade: (symbol, n) => ({
    trade_id: String(4e9 + n),
    price: price(symbol, 500),
    quantity: quantity(),
    side: n % 3 ? 'buy' : 'sell',
    source: 'stream',
  }),
  quote: (symbol, n) => ({
    bid_price: price(symbol, 500),
    bid_quantity: quantity(),
    ask_price: price(symbol, 500),
    ask_quantity: quantity(),
    sequence: 7e10 + n * 3,
  }),
  book_delta: (symbol, n) => ({
    bids: levels(symbol),
    asks: levels(symbol),
    first_sequence: 7e10 + n * 9,
    last_sequence: 7e10 + n * 9 + 8,
  }),
}

function event(type, n) {
  const symbol = SYMBOLS[upTo(SYMBOLS.length)]
  const timeUs = START_US + n * 1234
  const base = {
    type,
    exchange: 'binance',
    venue: 'binance',
    market: 'spot',
    symbol,
    instrument: symbol.replace('USDT', '-USDT'),
  }
  const times = { exchange_time_us: timeUs, receive_time_us: timeUs + 20_000 + upTo(5000) }
  return { ...base, ...times, id: `binance:${type}:${symbol}:0:${4e9 + n}`, ...MADE[type](symbol, n) }
}

function* eventsOf(types) {
  const left = Object.fromEntries(types.map((type) => [type, COUNTS[type]]))
  for (let n = 0; Object.values(left).some((count) => count > 0); n++) {
    for (const type of types) {
      if (left[type] <= 0 || random() > COUNTS[type] / COUNTS.trade) continue
      left[type]--
      yield event(type, n)
    }
  }
}

function stopwatch() {
  const startMs = performance.now()
  const start = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(start)
    return { ms: performance.now() - startMs, cpuMs: (user + system) / 1000 }
  }
}

/** Everything in the log, the types mixed. */
async function fill(types) {
  const log = await openSpool({
    folder: join(folder, `log ${types.join(' ')}`),
    files: platform.files,
    clock: platform.clock,
    random: platform.random,
    processes: platform.processes,
    sinks: ['lake'],
    sync: 'off',
    whenFull: 'evict',
    limits: SPOOL_LIMITS,
    onLoss: (loss) => {
      throw new Error(`the log has lost records: ${JSON.stringify(loss)}`)
    },
  })
  let rows = 0
  let bytes = 0
  for (const made of eventsOf(types)) {
    const body = Buffer.from(JSON.stringify(made))
    bytes += body.length
    log.append(log.stream(routeText(made)), 'event', made.receive_time_us, body)
    if (++rows % 2000 === 0) await log.untilReadable(log.lastLsn)
  }
  await log.untilReadable(log.lastLsn)
  return { log, rows, bytes }
}

async function fromTheLog({ log, rows }, name) {
  const sink = new LakeSink(
    { dir: join(folder, name), bytesMax: 0, keepDays: 0, batchBytes: 0, batchAgeMs: 0 },
    {
      platform,
      logger: { info() {}, warning() {} },
      logId: 'bench',
      stateFolder: folder,
      reject: (_, reason) => Promise.reject(new Error(reason)),
    },
  )
  await sink.open()
  const done = stopwatch()
  await sink.write({
    firstLsn: 1,
    lastLsn: log.lastLsn,
    async *records() {
      const reader = log.reader(1)
      for (;;) {
        const records = await reader.read({ recordsMax: 512, bytesMax: 1024 * 1024 })
        if (records.length === 0) return
        yield records
      }
    },
  })
  const times = done()
  await sink.close()
  if (sink.counts.rows !== rows) throw new Error(`${sink.counts.rows} of ${rows} rows`)
  return { ...times, bytes: sink.counts.bytes }
}

/** The same rows in the same order, as columns of the values that the library's documentation asks for. */
function readyColumns(events) {
  const types = groupBy(events)
  return [...types].map(([type, rows]) => {
    const sorted = [...rows].sort((a, b) =>
      a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.exchange_time_us - b.exchange_time_us,
    )
    const schema = lakeSchema(LAKE_COLUMNS[type])
    const columns = schema.columns.map(({ field, name, kind }) => ({
      name,
      data: sorted.map((row) => ready(kind, row[field])),
    }))
    columns.push({ name: 'exact', data: sorted.map(() => undefined) })
    return { schema: schema.elements, columns }
  })
}

function groupBy(events) {
  const types = new Map()
  for (const made of events)
    types
      .set(made.type, types.get(made.type) ?? [])
      .get(made.type)
      .push(made)
  return types
}

const units = new Map()
function unit(text) {
  if (!units.has(text)) units.set(text, decimalUnits(decimalBytes(text)))
  return units.get(text)
}

function ready(kind, value) {
  if (value === undefined) return undefined
  if (kind === 'decimal') return unit(value)
  if (kind === 'levels') return value.map(([price, quantity]) => ({ price: unit(price), quantity: unit(quantity) }))
  return kind === 'time' || kind === 'integer' ? BigInt(value) : value
}

async function libraryAlone(tables) {
  const done = stopwatch()
  let bytes = 0
  for (const { schema, columns } of tables) {
    const writer = new ByteWriter(1024 * 1024)
    const parquet = new ParquetWriter({ writer, schema, codec: CODEC, compressors: COMPRESSORS })
    parquet.write({ columnData: columns, rowGroupSize: GROUP_ROWS })
    parquet.finish()
    bytes += writer.offset
    const file = createWriteStream(join(folder, 'alone'))
    await new Promise((resolve, reject) => file.on('error', reject).end(writer.getBytes(), resolve))
  }
  return { ...done(), bytes }
}

/** The most processor time between two turns of the event loop while `work` goes on. Other processes do not count. */
async function longestStretchMs(work) {
  let isOver = false
  let longest = 0
  let last = process.cpuUsage()
  const look = () => {
    const { user, system } = process.cpuUsage(last)
    longest = Math.max(longest, (user + system) / 1000)
    last = process.cpuUsage()
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  await work()
  isOver = true
  return longest
}

/** What a process of one side prints. */
async function measure(side, types) {
  const rounds = []
  if (side === 'log') {
    const filled = await fill(types)
    for (let round = 0; round < ROUNDS; round++) rounds.push(await fromTheLog(filled, `lake ${round}`))
    const stretchMs = await longestStretchMs(() => fromTheLog(filled, 'lake'))
    await filled.log.close()
    return { rounds, stretchMs, rows: filled.rows, jsonBytes: filled.bytes }
  }
  const tables = readyColumns([...eventsOf(types)])
  for (let round = 0; round < ROUNDS; round++) rounds.push(await libraryAlone(tables))
  return { rounds }
}

const run = (side, types) =>
  JSON.parse(
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), folder, side, ...types], { encoding: 'utf8' }),
  )
const best = (rounds, key) => Math.min(...rounds.map((round) => round[key]))

function compare(types) {
  const turns = Array.from({ length: TURNS }, () => ({ alone: run('alone', types), log: run('log', types) }))
  const alone = turns.flatMap(({ alone }) => alone.rounds)
  const ours = turns.flatMap(({ log }) => log.rounds)
  const { rows, jsonBytes } = turns[0].log
  const line = (name, rounds) =>
    `  ${name}  ${Math.round(rows / best(rounds, 'ms'))} k rows/s, ${((best(rounds, 'cpuMs') * 1000) / rows).toFixed(1)} µs of processor a row, ${(rounds[0].bytes / 1e6).toFixed(2)} MB`
  const ratio = (key) => (best(alone, key) / best(ours, key)).toFixed(2)
  console.log(`${types.join(' + ')}: ${rows} rows, ${(jsonBytes / 1e6).toFixed(1)} MB of JSON`)
  console.log(line('library alone', alone))
  console.log(line('from the log ', ours))
  console.log(`  ratio          ${ratio('ms')} by time, ${ratio('cpuMs')} by processor`)
  const stretches = turns.map(({ log }) => log.stretchMs.toFixed(1))
  console.log(`  longest stretch of work between two turns of the event loop: ${stretches.join(', ')} ms`)
}

try {
  if (side !== undefined) console.log(JSON.stringify(await measure(side, sideTypes)))
  else {
    console.log(`node ${process.version}, ${CODEC}, best of ${TURNS} × ${ROUNDS} rounds`)
    for (const type of Object.keys(COUNTS)) compare([type])
    compare(Object.keys(COUNTS))
  }
} finally {
  rmSync(folder, { recursive: true })
}

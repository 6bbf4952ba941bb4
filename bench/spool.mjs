// `node bench/spool.mjs [folder]`: the durable log against bare writes of the same bytes to the same disk, in one run.
// Prints ratios as well as rates: on a shared machine only ratios mean something.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writevSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setUp } from '../scripts/setup.mjs'

setUp()
const { systemPlatform } = await import('../dist/platform/system.js')
const { openSpool } = await import('../dist/spool/open.js')
const { frameBytes, streamOf } = await import('../dist/spool/frame.js')
const { SPOOL_LIMITS } = await import('../dist/spool/options.js')

const RECORDS = 400_000
const BODY_BYTES = 300
const ROUNDS = 3
/** Records that wait for the disk; more could be refused. */
const UNSAVED_MAX = 50_000
const BATCH_BYTES = 256 * 1024
const KEY = 'binance trade BTCUSDT'
/** Records a second of the latency run. */
const RATE = 20_000
const LATENCY_MS = 3_000

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'bench-spool-'))
const body = Buffer.alloc(BODY_BYTES, 'x')
const recordBytes = frameBytes(streamOf(KEY), BODY_BYTES)
const totalBytes = RECORDS * recordBytes
const { clock, files, processes, random } = systemPlatform()
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const open = (name, limits = {}) =>
  openSpool({
    folder: join(folder, name),
    files,
    clock,
    processes,
    random,
    sinks: ['bench'],
    sync: 'interval',
    whenFull: 'evict',
    limits: { ...SPOOL_LIMITS, ...limits },
    onLoss: (loss) => {
      throw new Error(`the log has lost records: ${JSON.stringify(loss)}`)
    },
  })

/** The same bytes in writes of the same size, synced as often. */
function bareWrites() {
  const block = Buffer.alloc(BATCH_BYTES, 'x')
  const file = openSync(join(folder, 'bare'), 'w')
  const startMs = performance.now()
  let syncedMs = startMs
  for (let left = totalBytes; left > 0; left -= BATCH_BYTES) {
    writevSync(file, [block.subarray(0, Math.min(left, BATCH_BYTES))])
    if (performance.now() - syncedMs < SPOOL_LIMITS.syncMs) continue
    fdatasyncSync(file)
    syncedMs = performance.now()
  }
  fdatasyncSync(file)
  closeSync(file)
  rmSync(join(folder, 'bare'))
  return performance.now() - startMs
}

/** Appends as fast as the disk takes it; `appendMs` is the time within `append` alone. */
async function appendAll(name) {
  const log = await open(name)
  const stream = log.stream(KEY)
  let appendMs = 0
  const startMs = performance.now()
  for (let done = 0; done < RECORDS; ) {
    const beforeMs = performance.now()
    for (let i = 0; i < 2_000 && done < RECORDS; i++, done++) log.append(stream, 'event', 1_795_392_000_000_000, body)
    appendMs += performance.now() - beforeMs
    await log.untilReadable(log.lastLsn - 2_000)
    while (log.lastLsn - log.durableLsn > UNSAVED_MAX) await sleep(1)
  }
  await log.untilReadable(log.lastLsn)
  while (log.durableLsn < log.lastLsn) await sleep(1)
  const totalMs = performance.now() - startMs
  await log.close()
  return { totalMs, appendMs }
}

async function readAll(name, limits) {
  const log = await open(name, limits)
  const reader = log.reader(1)
  const startMs = performance.now()
  let records = 0
  for (;;) {
    const batch = await reader.read({ recordsMax: 512, bytesMax: 4 * 1024 * 1024 })
    if (batch.length === 0) break
    records += batch.length
  }
  const ms = performance.now() - startMs
  await log.close()
  if (records !== RECORDS) throw new Error(`read ${records} of ${RECORDS} records`)
  return ms
}

/** From `append` until a pump that waits has the record, at a steady rate. */
async function latencies() {
  const log = await open('latency')
  const stream = log.stream(KEY)
  const waits = []
  const appendedMs = []
  const pump = (async () => {
    const reader = log.reader(1)
    for (;;) {
      await log.untilReadable(reader.nextLsn)
      const batch = await reader.read({ recordsMax: 512, bytesMax: 4 * 1024 * 1024 })
      if (batch.length === 0) return
      const nowMs = performance.now()
      for (const { lsn } of batch) waits.push(nowMs - appendedMs[lsn])
    }
  })()
  const startMs = performance.now()
  let done = 0
  for (let nowMs = startMs; nowMs < startMs + LATENCY_MS; nowMs = performance.now()) {
    for (const due = ((nowMs - startMs) / 1000) * RATE; done < due; done++) {
      appendedMs[log.lastLsn + 1] = performance.now()
      log.append(stream, 'event', 1_795_392_000_000_000, body)
    }
    await sleep(1)
  }
  await log.close()
  await pump
  return waits.sort((a, b) => a - b)
}

const rate = (ms) => `${Math.round(RECORDS / ms)} k records/s, ${Math.round(totalBytes / ms / 1000)} MB/s`
const best = (values) => Math.min(...values)

try {
  const bare = []
  const logs = []
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(bareWrites())
    logs.push(await appendAll(`log ${round}`))
  }
  const bareMs = best(bare)
  const logMs = best(logs.map(({ totalMs }) => totalMs))
  const appendNs = (best(logs.map(({ appendMs }) => appendMs)) / RECORDS) * 1e6
  const readMs = best([await readAll('log 0'), await readAll('log 1')])
  const waits = await latencies()
  const at = (share) => waits[Math.floor(share * (waits.length - 1))].toFixed(2)
  console.log(`${RECORDS} records of ${BODY_BYTES} bytes, ${recordBytes} on disk; best of ${ROUNDS} rounds`)
  console.log(`bare writes    ${rate(bareMs)}`)
  console.log(`log            ${rate(logMs)}: ${(bareMs / logMs).toFixed(2)} of bare writes`)
  console.log(`append alone   ${appendNs.toFixed(0)} ns a record`)
  console.log(`read from disk ${rate(readMs)}`)
  console.log(`append to pump at ${RATE}/s: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`)
} finally {
  rmSync(folder, { recursive: true })
}

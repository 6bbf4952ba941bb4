/**
 * A process of its own: events at a steady rate into the real delivery (log, pump, NATS sink), without exchanges before it.
 * Tells its parent each quarter of a second how it fares. `node load.js '{"url":…}'`; any message ends it in order.
 */

import { join } from 'node:path'
import { Delivery } from '../../collector/delivery.ts'
import { natsOptions } from '../../collector/nats-options.ts'
import { Ledger } from '../../ledger/ledger.ts'
import type { MarketEvent, Trade } from '../../model/event.ts'
import { loadConfig } from '../../ops/config.ts'
import { silentLogger } from '../../ops/log.ts'
import { createMetrics } from '../../ops/metrics.ts'
import { createRepeatGuard } from '../../ops/repeat-guard.ts'
import { keepHeapSmall } from '../../platform/heap.ts'
import { systemPlatform } from '../../platform/system.ts'
import type { SinkFactory } from '../../sinks/index.ts'
import { NatsSink } from '../../sinks/nats/sink.ts'
import type { Batch } from '../../sinks/sink.ts'
import { venues } from '../../venues/index.ts'

export interface LoadOptions {
  readonly url: string
  readonly folder: string
  readonly perSecond: number
  /** Of the log. */
  readonly quotaBytes: number
}

export interface LoadReport {
  readonly appended: number
  /** Of those: acknowledged, without a hole. */
  readonly stored: number
  readonly residentBytes: number
  /** From the append to the acknowledgement, of what was acknowledged since the last report; ms. */
  readonly latenciesMs: readonly number[]
  /** From when an event was due until it was appended, where clients of the event stream get it too; ms. */
  readonly lateMs: readonly number[]
}

const TICK_MS = 10
const REPORT_MS = 250
const SYMBOLS = 50

/** What is under way to the store, to know up to where everything is stored, and since when. */
class Watch {
  latenciesMs: number[] = []
  storedLsn = 0
  readonly #underWay: { readonly lastLsn: number; isDone: boolean }[] = []
  readonly #appended: { readonly lsn: number; readonly atMs: number }[] = []

  appended(lsn: number, atMs: number): void {
    this.#appended.push({ lsn, atMs })
  }

  begun({ lastLsn }: Batch) {
    const entry = { lastLsn, isDone: false }
    this.#underWay.push(entry)
    return entry
  }

  done(entry: { isDone: boolean }, nowMs: number): void {
    entry.isDone = true
    while (this.#underWay[0]?.isDone === true) this.storedLsn = this.#underWay.shift()?.lastLsn ?? 0
    let count = 0
    for (const { lsn, atMs } of this.#appended) {
      if (lsn > this.storedLsn) break
      this.latenciesMs.push(nowMs - atMs)
      count++
    }
    this.#appended.splice(0, count)
  }

  /** All of it comes again. */
  failed(): void {
    this.#underWay.length = 0
  }
}

async function main({ url, folder, perSecond, quotaBytes }: LoadOptions): Promise<void> {
  keepHeapSmall()
  const platform = systemPlatform()
  const { clock, files } = platform
  const values = {
    environment: 'simulation',
    data_dir: folder,
    'nats.url': url,
    'lake.enabled': false,
    'spool.quota_bytes': quotaBytes,
  }
  const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: 'proof' }))
  const { config } = loadConfig({ venues, environment: {}, cwd: folder, overrides })
  const watch = new Watch()
  const metrics = createMetrics({ venues: [], constLabels: {} })
  const delivery: Delivery = new Delivery({
    config,
    venues,
    platform,
    metrics,
    logger: silentLogger,
    repeats: createRepeatGuard({ logger: silentLogger, clock }),
    sinks: [watchedNats(config, watch, () => clock.monotonicMs())],
    ledger: () => ledger,
  })
  const emit = (event: MarketEvent) => delivery.append(event, Buffer.from(JSON.stringify(event)), clock.nowUs())
  const ledger: Ledger = new Ledger({
    folder: join(folder, 'ledger'),
    files,
    clock,
    log: delivery,
    emit,
    onProblem: () => {},
  })
  await ledger.load()
  await delivery.open()
  await ledger.start()
  delivery.start()
  const firstLsn = delivery.lastLsn
  const startMs = clock.monotonicMs()
  const lateMs: number[] = []
  let made = 0
  const stopTicks = clock.every(TICK_MS, () => {
    const dueCount = Math.floor(((clock.monotonicMs() - startMs) / 1000) * perSecond)
    const firstDueMs = startMs + (made / perSecond) * 1000
    for (; made < dueCount; made++) emit(tradeOf(made, clock.nowUs()))
    const nowMs = clock.monotonicMs()
    lateMs.push(nowMs - firstDueMs)
    watch.appended(delivery.lastLsn, nowMs)
  })
  const report = (): LoadReport => ({
    appended: delivery.lastLsn - firstLsn,
    stored: Math.max(0, watch.storedLsn - firstLsn),
    residentBytes: process.memoryUsage.rss(),
    latenciesMs: watch.latenciesMs.splice(0),
    lateMs: lateMs.splice(0),
  })
  clock.every(REPORT_MS, () => process.send?.(report()))
  process.once('message', () => {
    stopTicks()
    ledger.stop()
    void delivery.stop().then(() => {
      ledger.close()
      process.send?.(report(), () => process.exit(0))
    })
  })
}

function watchedNats(config: Parameters<typeof natsOptions>[0], watch: Watch, nowMs: () => number): SinkFactory {
  const options = natsOptions(config)
  if (options === undefined) throw new Error('no nats.url')
  return {
    name: 'nats',
    create(ports) {
      const sink = new NatsSink(options, ports)
      return {
        traits: sink.traits,
        async open() {
          const held = await sink.open()
          watch.failed()
          return held
        },
        close: () => sink.close(),
        async write(batch) {
          const entry = watch.begun(batch)
          await sink.write(batch)
          watch.done(entry, nowMs())
        },
      }
    },
  }
}

function tradeOf(number: number, nowUs: number): Trade {
  const base = `C${String(number % SYMBOLS).padStart(3, '0')}`
  const id = Math.floor(number / SYMBOLS) + 1
  return {
    type: 'trade',
    exchange: 'okx',
    venue: 'okx',
    market: 'spot',
    symbol: `${base}-USDT`,
    instrument: `${base}-USDT`,
    exchange_time_us: nowUs - 5_000,
    receive_time_us: nowUs,
    id: `okx:trade:${base}-USDT:0:${id}`,
    trade_id: String(id),
    price: `${60_000 + (number % 997)}.${number % 10}`,
    quantity: `0.${String(number % 100_000).padStart(5, '0')}`,
    side: number % 3 === 0 ? 'buy' : 'sell',
    source: 'stream',
  }
}

await main(JSON.parse(process.argv[2] ?? '{}'))

/** A log, a ledger and the sinks behind it, on the real disk. */

import { join } from 'node:path'
import { Delivery } from '../../src/collector/delivery.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { Gap, MarketEvent, Trade } from '../../src/model/event.ts'
import { loadConfig } from '../../src/ops/config.ts'
import { silentLogger } from '../../src/ops/log.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { createRepeatGuard } from '../../src/ops/repeat-guard.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import type { Batch, Sink, SinkPorts, SinkTraits } from '../../src/sinks/sink.ts'
import { venues } from '../../src/venues/index.ts'

export const STREAM = {
  exchange: 'okx',
  venue: 'okx',
  channel: 'trade',
  symbol: 'BTC-USDT',
  market: 'spot',
  proof: 'counter',
} as const

export const tradeOf = (index: number): Trade => ({
  type: 'trade',
  exchange: 'okx',
  venue: 'okx',
  market: 'spot',
  symbol: 'BTC-USDT',
  id: `okx:trade:BTC-USDT:0:${index}`,
  trade_id: String(index),
  price: '1',
  quantity: '1',
  side: 'buy',
})

export type Write = (batch: Batch, ports: SinkPorts) => Promise<void>

const TRAITS: SinkTraits = { recordsMax: 100, bytesMax: 1e6, ageMs: 0, batchesMax: 1, hasFixedBatches: false }

export interface Store {
  readonly write: Write
  readonly open?: Sink['open']
}

/** Each store does with its batches what `write` does. `options`: of the configuration. */
export async function running(
  folder: string,
  stores: Readonly<Record<string, Store>>,
  options: Readonly<Record<string, number>> = {},
) {
  const platform = systemPlatform()
  const { clock, files } = platform
  const overrides = Object.entries({ data_dir: folder, ...options }).map(([path, value]) => ({
    path,
    value,
    origin: 'test',
  }))
  const { config } = loadConfig({ venues, environment: {}, cwd: folder, configDir: undefined, overrides })
  const gaps: Gap[] = []
  const repeats = createRepeatGuard({ logger: silentLogger, clock })
  const sinks = Object.entries(stores).map(([name, { write, open = async () => undefined }]) => ({
    name,
    create: (ports: SinkPorts): Sink & { readonly traits: SinkTraits } => ({
      traits: TRAITS,
      open,
      write: (batch) => write(batch, ports),
      close: async () => {},
    }),
  }))
  const metrics = createMetrics({ venues: [], constLabels: {} })
  const delivery: Delivery = new Delivery({
    config,
    venues,
    platform,
    metrics,
    logger: silentLogger,
    repeats,
    sinks,
    ledger: () => ledger,
  })
  const emit = (event: MarketEvent): void => delivery.append(event, Buffer.from(JSON.stringify(event)), clock.nowUs())
  const told = (gap: Gap): void => {
    gaps.push(gap)
    emit(gap)
  }
  const ledger = new Ledger({
    folder: join(folder, 'ledger'),
    files,
    clock,
    log: delivery,
    emit: told,
    onProblem: () => {},
  })
  await ledger.load()
  await delivery.open()
  ledger.open(ledger.stream(STREAM))
  ledger.stream(STREAM).heard(1, clock.nowUs())
  await ledger.start()
  delivery.start()
  const stop = async (): Promise<void> => {
    ledger.stop()
    await delivery.stop()
    ledger.close()
    repeats.stop()
  }
  return { delivery, ledger, emit, gaps, metrics, stop }
}

/** The real service on the real platform, collecting from a simulator in the same process. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Registries, registries as shipped } from '../../src/collector/registries.ts'
import { DataCollectorService } from '../../src/collector/service.ts'
import type { MarketEvent } from '../../src/model/event.ts'
import { loadConfig } from '../../src/ops/config.ts'
import type { Override } from '../../src/ops/environment.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import type { Simulator } from '../../src/sim/server.ts'

export interface RunningService {
  readonly service: DataCollectorService
  readonly url: string
  /** Every event since the start. */
  readonly events: MarketEvent[]
  /** The log, one parsed line each. */
  readonly log: Record<string, unknown>[]
  /** The body of a GET, parsed; for `/metrics` the text. */
  get(path: string): Promise<ApiAnswer>
  text(path: string): Promise<string>
  /** Loads the configuration again, with these values changed for good. */
  reload(changes: Readonly<Record<string, unknown>>): Promise<void>
  stop(): Promise<void>
}

/** What the tests read of answers. */
export interface ApiAnswer {
  readonly status: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read many shapes
  readonly data: any
}

/** `symbols`: by venue id; venues without an entry are off. `overrides`: key path -> value. `registries`: what there is. */
export async function startService(
  simulator: Simulator,
  symbols: Readonly<Record<string, readonly string[]>>,
  overrides: Readonly<Record<string, unknown>> = {},
  registries: Registries = shipped,
): Promise<RunningService> {
  const { venues } = registries
  const folder = mkdtempSync(join(tmpdir(), 'service-'))
  const values: Record<string, unknown> = {
    environment: 'simulation',
    data_dir: folder,
    'api.port': 0,
    'api.requests_per_second': 1_000_000,
    'log.format': 'json',
    ...Object.fromEntries(venues.map(({ id }) => [`exchanges.${id}.enabled`, id in symbols])),
    ...Object.fromEntries(Object.entries(symbols).map(([id, list]) => [`exchanges.${id}.symbols`, list])),
    ...Object.fromEntries(
      Object.keys(symbols).flatMap((id) =>
        Object.entries(simulator.options(id)).map(([key, url]) => [`exchanges.${id}.${key}`, url]),
      ),
    ),
    ...overrides,
  }
  const load = () => {
    const list: Override[] = Object.entries(values).map(([path, value]) => ({ path, value, origin: 'test' }))
    return loadConfig({ venues, environment: {}, cwd: folder, overrides: list })
  }
  const log: Record<string, unknown>[] = []
  const output = { write: (line: string) => void log.push(JSON.parse(line)), on: () => {} }
  const service = new DataCollectorService({ loaded: load(), platform: systemPlatform(), output, registries })
  const events: MarketEvent[] = []
  service.collector.subscribe((event) => void events.push(event))
  const url = await service.start()
  return {
    service,
    url,
    events,
    log,
    get: async (path) => (await fetch(url + path)).json() as Promise<ApiAnswer>,
    text: async (path) => (await fetch(url + path)).text(),
    reload: (changes) => {
      Object.assign(values, changes)
      return service.reload(load)
    },
    async stop() {
      await service.stop('test')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when `condition` holds, looking every few ms. Errors: rejects after `deadlineMs`, naming what it waited for. */
export async function until(what: string, condition: () => unknown, deadlineMs = 10_000): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

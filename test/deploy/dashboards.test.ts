/** Every panel and every alert asks a real Prometheus that scrapes the real service, and gets an answer. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { DASHBOARDS } from '../../src/ops/dashboards.ts'
import { METRICS } from '../../src/ops/metrics-catalogue.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { type Prometheus, prometheusMissing, startPrometheus } from '../helpers/prometheus.ts'
import { type RunningService, startService, until } from '../helpers/service.ts'

const root = fileURLToPath(new URL('../../deploy/', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')
const panels = DASHBOARDS.flatMap(({ title, rows }) =>
  rows.flatMap((row) => row.panels.map((panel) => ({ ...panel, place: `${title} › ${row.title} › ${panel.title}` }))),
)

const SYMBOLS: Readonly<Record<string, readonly string[]>> = {
  binance: ['BTCUSDT', 'ETHUSDT'],
  'binance-usdm': ['BTCUSDT', 'ETHUSDT'],
  okx: ['BTC-USDT', 'ETH-USDT'],
  deribit: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
}

/** Feeds that are not live, sinks that this service does not have, and what is counted in tens, so that the first does not matter. */
const NOT_THERE = [
  'marketprism_feeds{state!~"live|disabled|delisted"}',
  'marketprism_sink_lag_seconds{sink!="lake"}',
  'marketprism_socket_disconnects_total{reason!="stopped"}',
]

interface Shown {
  readonly id: number
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
}

describe('what Grafana reads', () => {
  const source = (parse(read('grafana/provisioning/datasources/prometheus.yaml')) as { datasources: { uid: string }[] })
    .datasources[0]

  test.each(readdirSync(`${root}grafana/dashboards`))(
    '%s: panels have numbers of their own and do not overlap',
    (file) => {
      const text = read(`grafana/dashboards/${file}`)
      const { uid, panels: shown } = JSON.parse(text) as { readonly uid: string; readonly panels: readonly Shown[] }
      expect(file).toBe(`${uid}.json`)
      expect(new Set(shown.map(({ id }) => id)).size).toBe(shown.length)
      for (const { gridPos: a } of shown) {
        expect(a.x + a.w).toBeLessThanOrEqual(24)
        const over = shown.filter(
          ({ gridPos: b }) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h,
        )
        expect(over).toHaveLength(1)
      }
      const sources = [...text.matchAll(/"uid": "(\w+)"\s*}/g)].map(([, name]) => name)
      expect(new Set(sources)).toEqual(new Set([source?.uid]))
    },
  )

  test('each dashboard has its file, and the provider looks into that folder', () => {
    expect(readdirSync(`${root}grafana/dashboards`).toSorted()).toEqual(
      DASHBOARDS.map(({ uid }) => `${uid}.json`).toSorted(),
    )
    const compose = readFileSync(`${root}../compose.yaml`, 'utf8')
    const { providers } = parse(read('grafana/provisioning/dashboards/marketprism.yaml')) as {
      readonly providers: readonly { readonly options: { readonly path: string } }[]
    }
    expect(compose).toContain(`./deploy/grafana/dashboards:${providers[0]?.options.path}:ro`)
  })

  test('every panel says what it shows, and a legend only names labels that the query leaves', () => {
    for (const { place, about, queries } of panels) {
      expect(about, place).toMatch(/\.$/)
      for (const { expr, legend } of queries) {
        const by = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', '))
        const own = Object.values(METRICS).find(({ name }) => expr.includes(`${name}{`))?.labels ?? []
        const left = by.length > 0 ? by : [...own, 'instance']
        for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g)) expect(left, place).toContain(label)
      }
    }
  })
})

describe.skipIf(prometheusMissing)('against a real Prometheus', () => {
  let simulator: Simulator
  let service: RunningService
  let prometheus: Prometheus

  beforeAll(async () => {
    simulator = await startSimulator({ clock: systemPlatform().clock, venues: simVenues, seed: 5 })
    service = await startService(simulator, SYMBOLS, { 'lake.batch_seconds': 1 })
    prometheus = await startPrometheus(service.url)
    await until(
      'all feeds to be live',
      async () => {
        const { checks } = (await (await fetch(`${service.url}/health`)).json()) as {
          readonly checks: { readonly feeds: { readonly status: string } }
        }
        return checks.feeds.status === 'pass'
      },
      90_000,
    )
  }, 150_000)
  afterAll(async () => {
    await prometheus?.stop()
    await service?.stop()
    await simulator?.stop()
  })

  test.each(panels)('$place', { timeout: 90_000 }, async ({ queries, emptyBecause, place }) => {
    for (const { expr } of queries) {
      const asked = expr.replaceAll('$environment', 'simulation').replaceAll('$__rate_interval', '20s')
      if (emptyBecause !== undefined) await prometheus.query(asked)
      else
        await until(`${place}: an answer to ${asked}`, async () => (await prometheus.query(asked)).length > 0, 60_000)
    }
  })

  test('every alert can be evaluated, and what it watches is there although nothing has happened', {
    timeout: 60_000,
  }, async () => {
    const rules = await prometheus.rules()
    expect(rules.length).toBeGreaterThan(12)
    await until('all rules', async () => (await prometheus.rules()).every(({ health }) => health !== 'unknown'), 30_000)
    for (const { name, health, lastError } of await prometheus.rules())
      expect(health, `${name} ${lastError}`).toBe('ok')
    const text = read('prometheus/alerts.yaml')
    const watched = new Set(
      [...text.matchAll(/\b(?:marketprism|process)_\w+(?:\{[^}]*\})?/g)].map(([selector]) => selector),
    )
    const notThere: string[] = []
    for (const selector of watched) if ((await prometheus.query(selector)).length === 0) notThere.push(selector)
    expect(notThere.toSorted()).toEqual(NOT_THERE)
  })
})

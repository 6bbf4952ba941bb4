/** The real programs of Prometheus, and whether they can be had. */

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from './service.ts'

const isThere = (program: string): boolean => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0

/** Tests that need `promtool`, or a server, cannot run. */
export const prometheusMissing = !isThere('promtool') || !isThere('prometheus')

if (prometheusMissing) console.warn('Not tested with Prometheus: it is not installed (see scripts/test.mjs).')

const RULES = fileURLToPath(new URL('../../deploy/prometheus/alerts.yaml', import.meta.url))

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [atSeconds: number, value: string]
}

export interface Rule {
  readonly name: string
  readonly health: 'ok' | 'err' | 'unknown'
  readonly lastError?: string
  readonly alerts: readonly { readonly state: string }[]
}

export interface Prometheus {
  /** Errors: rejects with Prometheus's own words about the query. */
  query(expr: string): Promise<readonly Sample[]>
  rules(): Promise<readonly Rule[]>
  stop(): Promise<void>
}

/** Scrapes one service each second, and evaluates our alerts as often. */
export async function startPrometheus(serviceUrl: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
  const config = join(folder, 'prometheus.yaml')
  const job = { job_name: 'marketprism', static_configs: [{ targets: [new URL(serviceUrl).host] }] }
  const global = { scrape_interval: '1s', evaluation_interval: '1s' }
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ global, rule_files: [RULES], scrape_configs: [job] }))
  const options = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`]
  const child = spawn('prometheus', [...options, '--web.listen-address=127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = new Promise((resolve) => child.on('exit', resolve))
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  const address = () => /"Listening on" address=(\S+)/.exec(log)?.[1]
  await until('Prometheus', address, 30_000)
  const get = async (path: string) => {
    const response = await fetch(`http://${address()}/api/v1/${path}`)
    const { data, error } = (await response.json()) as { readonly data: unknown; readonly error?: string }
    if (error !== undefined) throw new Error(`${path}: ${error}`)
    return data
  }
  await until('its first scrape', async () => (await get('query?query=up')) !== undefined, 30_000)
  return {
    query: async (expr) => {
      const { result } = (await get(`query?query=${encodeURIComponent(expr)}`)) as {
        readonly result: readonly Sample[]
      }
      return result
    },
    rules: async () => {
      const { groups } = (await get('rules')) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] }
      return groups.flatMap((group) => group.rules)
    },
    async stop() {
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

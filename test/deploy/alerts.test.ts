/** The alerts: each fires when it must and only then, measures what exists, and is explained in the runbook. */

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { METRICS } from '../../src/ops/metrics-catalogue.ts'
import { prometheusMissing } from '../helpers/prometheus.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}
interface RuleFile {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}
interface TestFile {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[]
  }[]
}

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const rules = (parse(read('deploy/prometheus/alerts.yaml')) as RuleFile).groups.flatMap((group) => group.rules)
const cases = (parse(read('deploy/prometheus/alerts.test.yaml')) as TestFile).tests.flatMap(
  ({ alert_rule_test }) => alert_rule_test,
)
const runbook = read('docs/RUNBOOK.md')

function promtool(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: fileURLToPath(root), encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

test.skipIf(prometheusMissing)('promtool: every rule fires for its series and for no other', () => {
  const { status, output } = promtool('test', 'rules', 'deploy/prometheus/alerts.test.yaml')
  expect(status, output).toBe(0)
})

test.skipIf(prometheusMissing)('promtool: the configuration of the server is valid', () => {
  const { status, output } = promtool(
    'check',
    'config',
    '--lint=all',
    '--lint-fatal',
    'deploy/prometheus/prometheus.yaml',
  )
  expect(status, output).toBe(0)
})

test('each alert has a case in which it fires', () => {
  const fired = new Set(cases.filter(({ exp_alerts }) => exp_alerts.length > 0).map(({ alertname }) => alertname))
  expect(rules.map(({ alert }) => alert).filter((alert) => !fired.has(alert))).toEqual([])
  expect(rules.length).toBeGreaterThanOrEqual(12)
})

test('the runbook has exactly one entry for each alert, and the alert names it', () => {
  const entries = [...runbook.matchAll(/^### (MarketPrism\w+)$/gm)].map(([, name]) => name)
  expect(entries.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted())
  for (const { alert, labels, annotations } of rules) {
    expect(annotations.runbook).toBe(`docs/RUNBOOK.md#${alert.toLowerCase()}`)
    expect(annotations.summary).toMatch(/\.$/)
    expect(['warning', 'critical'], alert).toContain(labels.severity)
  }
})

test('alerts measure what the collector has, by labels that it has', () => {
  const known = new Map<string, readonly string[]>()
  for (const metric of Object.values(METRICS)) {
    const suffixes = metric.kind === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    for (const suffix of suffixes) known.set(metric.name + suffix, metric.labels)
  }
  const ofTarget = ['job', 'instance', 'environment']
  for (const { alert, expr } of rules) {
    for (const [, name = '', labels = ''] of expr.matchAll(/\b((?:marketprism|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)) {
      expect(known.has(name), `${alert}: ${name}`).toBe(true)
      const asked = [...labels.matchAll(/(\w+)\s*[=!]/g)].map(([, label]) => label)
      expect([...ofTarget, ...(known.get(name) ?? [])], `${alert}: ${name}`).toEqual(expect.arrayContaining(asked))
    }
  }
})

test('links of the runbook lead somewhere, and what it says to look for is in the code', () => {
  const anchors = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'))
  for (const [, anchor] of runbook.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor)
  const sources = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => read(`src/${file}`))
    .join('\n')
  const words = [...runbook.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, word = '']) => word)
  expect(words.length).toBeGreaterThan(20)
  expect(words.filter((word) => !new RegExp(`\\b${word}\\b`).test(sources))).toEqual([])
})

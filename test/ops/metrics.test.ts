import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { expect, test } from 'vitest'
import { LABELS, type LabelName } from '../../src/ops/metric-labels.ts'
import { createMetrics, type Metrics } from '../../src/ops/metrics.ts'
import { METRICS, type MetricKey } from '../../src/ops/metrics-catalogue.ts'
import { exposeProcess, watchEventLoop } from '../../src/ops/process-metrics.ts'
import { fakeClock } from './fake-clock.ts'

const venues = ['binance', 'okx']
const create = (): Metrics => createMetrics({ venues, constLabels: { environment: 'simulation' } })

/** The samples of one metric, without the label that all have. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const lines = (await metrics.text()).split('\n')
  return lines
    .filter((line) => line.startsWith(name) && /[ {]/.test(line.charAt(name.length)))
    .map((line) => line.replace(/,?environment="simulation"/, '').replace('{}', ''))
}

/** Every metric of the catalogue with values, labels at their limits included. */
function filled(): Metrics {
  const metrics = create()
  for (const key of Object.keys(METRICS) as MetricKey[]) {
    for (let round = 0; round < 3; round++) {
      const labels = Object.fromEntries(METRICS[key].labels.map((label) => [label, valueFor(label, round)])) as never
      if (METRICS[key].kind === 'histogram')
        metrics.histogram(key as 'storeLatency', labels).observe(0.0001 * 10 ** round)
      else metrics.gauge(key as 'feeds', labels).value += round + 0.5
    }
  }
  return metrics
}

function valueFor(label: LabelName, round: number): string {
  const values = LABELS[label]
  if (values === 'venues') return venues[round % venues.length] ?? ''
  return 'max' in values ? `va"l\\ue\n${round}` : (values[round % values.length] ?? '')
}

test('a handle is a plain field: changed in place, the same one for the same labels', async () => {
  const metrics = create()
  const handle = metrics.counter('eventsCollected', { venue: 'okx', type: 'trade' })
  handle.value += 1
  metrics.counter('eventsCollected', { type: 'trade', venue: 'okx' }).value += 1
  metrics.counter('eventsCollected', { venue: 'binance', type: 'trade' }).value += 5
  expect(metrics.counter('eventsCollected', { venue: 'okx', type: 'trade' })).toBe(handle)
  const expected = [
    'marketprism_events_collected_total{venue="okx",type="trade"} 2',
    'marketprism_events_collected_total{venue="binance",type="trade"} 5',
  ]
  expect(await samples(metrics, 'marketprism_events_collected_total')).toEqual(expected)
  expect(await samples(metrics, 'marketprism_events_collected_total'), 'reading changes nothing').toEqual(expected)
})

test('the environment stands on every series', async () => {
  const lines = (await filled().text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  expect(lines.filter((line) => !line.includes('environment="simulation"'))).toEqual([])
  expect(lines.length).toBeGreaterThan(Object.keys(METRICS).length)
})

test('a histogram counts each value in its bucket and all above, negative ones as zero', async () => {
  const metrics = create()
  const handle = metrics.histogram('httpDuration', { route: '/health' })
  const before = METRICS.httpDuration.buckets
  for (const seconds of [0.001, 0.0011, 0.3, 11, 1e9, -5, Number.NaN, Number.POSITIVE_INFINITY]) handle.observe(seconds)
  const text = await samples(metrics, 'marketprism_http_request_duration_seconds_bucket')
  const counts = new Map(text.map((line) => [/le="([^"]+)"/.exec(line)?.[1], Number(line.split(' ')[1])]))
  expect(counts.size).toBe(before.length + 1)
  expect(counts.get('0.001'), 'a bound belongs to its bucket').toBe(2)
  expect(counts.get('0.0025')).toBe(3)
  expect(counts.get('0.25')).toBe(3)
  expect(counts.get('0.5')).toBe(4)
  expect(counts.get('10')).toBe(4)
  expect(counts.get('+Inf')).toBe(6)
  expect(await samples(metrics, 'marketprism_http_request_duration_seconds_count')).toEqual([
    'marketprism_http_request_duration_seconds_count{route="/health"} 6',
  ])
  expect(await samples(metrics, 'marketprism_http_request_duration_seconds_sum')).toEqual([
    `marketprism_http_request_duration_seconds_sum{route="/health"} ${0.001 + 0.0011 + 0.3 + 11 + 1e9}`,
  ])
  expect(await samples(metrics, 'marketprism_observations_clamped_total')).toEqual([
    'marketprism_observations_clamped_total{metric="marketprism_http_request_duration_seconds"} 1',
  ])
})

test('computed values are read at every scrape; one that fails is left out and counted', async () => {
  const metrics = create()
  let live = 1
  metrics.computed('booksLive', () => [{ labels: { venue: 'okx' }, value: live++ }])
  metrics.computed('storeRecords', () => {
    throw new Error('not now')
  })
  metrics.computed('socketsOpen', () => [{ labels: { venue: 'okx' }, value: Number.NaN }])
  expect(await samples(metrics, 'marketprism_books_live')).toEqual(['marketprism_books_live{venue="okx"} 1'])
  expect(await samples(metrics, 'marketprism_books_live')).toEqual(['marketprism_books_live{venue="okx"} 2'])
  expect(await samples(metrics, 'marketprism_store_records')).toEqual([])
  expect(await samples(metrics, 'marketprism_sockets_open')).toEqual([])
  expect(await samples(metrics, 'process_open_fds'), 'nobody measured it').toEqual([])
  expect((await samples(metrics, 'marketprism_metric_reads_failed_total')).join()).toMatch(
    /marketprism_store_records"} \d/,
  )
})

test('whatever the label values, the number of series is bounded and nothing is lost', async () => {
  const metrics = create()
  for (let index = 0; index < 10_000; index++) {
    metrics.counter('httpRequests', { route: `/r${index}`, status: String(index) }).value++
    metrics.counter('framesReceived', { venue: `venue${index}` }).value++
    metrics.counter('framesUnknown', { venue: 'okx', what: 'x'.repeat(100) + index }).value++
  }
  metrics.counter('errors', { stage: 'book', venue: 'none' }).value++
  const requests = await samples(metrics, 'marketprism_http_requests_total')
  expect(requests.length).toBeLessThanOrEqual(65)
  expect(requests.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)).toBe(10_000)
  expect(await samples(metrics, 'marketprism_frames_received_total')).toEqual([
    'marketprism_frames_received_total{venue="other"} 10000',
  ])
  expect(await samples(metrics, 'marketprism_frames_unknown_total')).toHaveLength(1)
  expect(await samples(metrics, 'marketprism_errors_total')).toEqual([
    'marketprism_errors_total{stage="book",venue="none"} 1',
  ])
  expect((await samples(metrics, 'marketprism_metric_labels_overflowed_total')).length).toBe(3)
})

test('every metric of the catalogue is counted somewhere', () => {
  const root = new URL('../../src/', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const texts = files
    .filter((file) => !file.endsWith('metrics-catalogue.ts'))
    .map((file) => readFileSync(new URL(file, root), 'utf8'))
  const isUsed = (key: string) => texts.some((text) => new RegExp(`\\b${key}\\b`).test(text))
  expect(Object.keys(METRICS).filter((key) => !isUsed(key))).toEqual([])
})

test('names and text keep the rules of Prometheus', async () => {
  const text = await filled().text()
  for (const { name, kind, help } of Object.values(METRICS)) {
    expect(name).toMatch(/^(marketprism|process|nodejs)_[a-z0-9_]+$/)
    expect(name.endsWith('_total'), name).toBe(kind === 'counter')
    expect(name).not.toMatch(/_(count|sum|bucket)$|_(ms|us|millis|milliseconds|minutes|mb|kb|percent)(_|$)/)
    expect(help).toMatch(/\.$/)
    expect(text.split(`# HELP ${name} `)).toHaveLength(2)
    expect(text.split(`# TYPE ${name} ${kind}\n`)).toHaveLength(2)
  }
  expect(new Set(Object.values(METRICS).map(({ name }) => name)).size).toBe(Object.keys(METRICS).length)
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  for (const line of lines) expect(line).toMatch(/^[a-z0-9_]+(\{([a-z]+="([^"\\]|\\["\\n])*",?)*\})? -?[0-9.e+-]+$/)
  expect(new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' ')))).size, 'no series twice').toBe(lines.length)
  expect(text.endsWith('\n')).toBe(true)
  expect(create().contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
})

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
if (!hasPromtool)
  process.stderr.write('promtool is not installed: its check of /metrics does not run (see scripts/test.mjs).\n')

test.runIf(hasPromtool)('promtool has no remark', async () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: await filled().text(),
    encoding: 'utf8',
  })
  expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' })
})

test('the process and its event loop are visible', async () => {
  const metrics = create()
  const clock = fakeClock()
  const loop = watchEventLoop(clock)
  exposeProcess({ metrics, clock, loop, version: '1.2.3', logger: { lostLines: 7 } })
  expect(await samples(metrics, 'marketprism_build_info')).toEqual([
    `marketprism_build_info{version="1.2.3",node="${process.version}"} 1`,
  ])
  const value = async (name: string): Promise<number> => Number((await samples(metrics, name))[0]?.split(' ')[1])
  expect(await value('process_resident_memory_bytes')).toBeGreaterThan(1e7)
  expect(await value('nodejs_heap_used_bytes')).toBeGreaterThan(1e6)
  expect(await value('marketprism_memory_limit_bytes')).toBeGreaterThan(process.memoryUsage.rss())
  expect(await value('marketprism_memory_limit_bytes')).toBeLessThanOrEqual(totalmem())
  expect(await value('process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(await value('marketprism_log_lines_lost_total')).toBe(7)
  if (process.platform === 'linux') expect(await value('process_open_fds')).toBeGreaterThan(2)
  expect(Math.abs((await value('process_start_time_seconds')) - clock.nowUs() / 1e6)).toBeLessThan(3600)
})

test('a blocked event loop shows at once and is remembered for a minute', () => {
  const clock = fakeClock()
  const loop = watchEventLoop(clock)
  clock.advance(5000)
  expect([loop.lagMs(), loop.lagMaxMs()]).toEqual([0, 0])
  clock.block(1000)
  clock.advance(0)
  expect([loop.lagMs(), loop.lagMaxMs()]).toEqual([950, 950])
  clock.advance(58_000)
  expect([loop.lagMs(), loop.lagMaxMs()]).toEqual([0, 950])
  clock.advance(3000)
  expect(loop.lagMaxMs()).toBe(0)
  loop.stop()
  clock.block(1000)
  clock.advance(1000)
  expect(loop.lagMaxMs()).toBe(0)
})

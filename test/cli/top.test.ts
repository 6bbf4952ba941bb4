/** `marketprism top`: its picture, its sums, and the program in a real terminal. */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { serviceClient } from '../../src/cli/running-service.ts'
import { topCommand } from '../../src/cli/top.ts'
import { type Feed, groupRows, type Sample, takeSample } from '../../src/cli/top-sample.ts'
import { type TopScreen, topLines } from '../../src/cli/top-text.ts'
import { fakeGap } from '../api/helpers/fake-collector.ts'
import { type RunningApi, startApi } from '../api/helpers/start-api.ts'
import { MAIN, useProgram } from '../helpers/program.ts'
import { until } from '../helpers/service.ts'

const SCRIPT = '/usr/bin/script'
const scriptMissing = existsSync(SCRIPT) ? undefined : `${SCRIPT} (util-linux) is not there: no terminal to test in`
if (scriptMissing !== undefined) console.warn(`Not tested in a terminal: ${scriptMissing}`)

const TIME = '2026-11-23T12:00:00.000000+00:00'
const TIME_MS = Date.parse(TIME)
const PLAIN: TopScreen = { width: undefined, height: undefined, hasColour: false }

const ESCAPE = '\u001b'
const withoutColours = (text: string): string => text.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, 'g'), '')

const feed = (over: Partial<Feed> = {}): Feed => ({
  exchange: 'binance',
  venue: 'binance',
  channel: 'trade',
  symbol: 'BTCUSDT',
  proof: 'counter',
  state: 'live',
  reason: '',
  since: TIME,
  last_message: '2026-11-23T11:59:58.500000+00:00',
  events: 1000,
  resyncs: 0,
  behind_ms: 0,
  open_gap: null,
  ...over,
})

const sample = (over: Partial<Sample> = {}): Sample => ({
  timeMs: TIME_MS,
  status: {
    service: 'data-collector',
    status: 'running',
    uptime_seconds: 90_061,
    version: '1.2.3',
    environment: 'production',
    features: {
      collector_initialized: true,
      orderbook_enabled: true,
      websocket_enabled: true,
      normalizer_enabled: true,
    },
    supported_exchanges: ['binance'],
    collection_stats: {
      total_collections: 5000,
      error_count: 2,
      last_collection_time: TIME,
      data_counts: { tickers: 1, orderbooks: 1, trades: 1 },
    },
  },
  health: { service: 'data-collector', status: 'healthy', timestamp: TIME, uptime_seconds: 1, checks: {} },
  feeds: [feed()],
  sinks: [],
  openGaps: new Map(),
  coverage: undefined,
  ...over,
})

const covered = (symbol: string, covered_share: number) => ({
  exchange: 'binance',
  venue: 'binance',
  channel: 'trade' as const,
  symbol,
  proof: 'counter' as const,
  verifiable: true,
  start: '2026-11-23T11:00:00.000000+00:00',
  end: TIME,
  covered_share,
  seconds: 3600,
  seconds_lost: 0,
  ids_lost: 0,
  ids_healed: 0,
  gaps: 0,
  open_gaps: 0,
})

describe('sums', () => {
  test('the rate of a group is what its feeds brought since the sample before; one that began anew counts from 0', () => {
    const before = sample({
      timeMs: TIME_MS - 2000,
      feeds: [feed({ events: 900 }), feed({ symbol: 'A', events: 700 })],
    })
    const now = sample({ feeds: [feed(), feed({ symbol: 'A', events: 20 }), feed({ symbol: 'B', events: 30 })] })
    expect(groupRows(now, before, true)).toMatchObject([{ rate: (100 + 20 + 30) / 2, feeds: 3, live: 3 }])
    expect(groupRows(now, undefined, true)).toMatchObject([{ rate: undefined }])
  })

  test('ages are by the clock of the service; what is not wanted counts nowhere', () => {
    const old = feed({ symbol: 'A', state: 'stale', last_message: '2026-11-23T11:59:00.000000+00:00' })
    const gone = feed({ symbol: 'B', state: 'disabled', last_message: '2026-11-22T00:00:00.000000+00:00' })
    expect(groupRows(sample({ feeds: [feed(), old, gone] }), undefined, true)).toMatchObject([
      { feeds: 2, live: 1, newestSeconds: 1.5, oldestSeconds: 60 },
    ])
    expect(groupRows(sample({ feeds: [feed({ last_message: null })] }), undefined, true)).toMatchObject([
      { newestSeconds: undefined, oldestSeconds: undefined },
    ])
  })

  test('every open gap counts, not every feed that has one', () => {
    const openGaps = new Map([
      ['binance trade', 500],
      ['binance book', 2],
      ['okx trade', 1],
    ])
    const feeds = [feed(), feed({ symbol: 'A' }), feed({ channel: 'book' })]
    const now = sample({ feeds, openGaps })
    expect(groupRows(now, undefined, true)).toMatchObject([{ openGaps: 500 }, { openGaps: 2 }])
    expect(groupRows(now, undefined, false)).toMatchObject([{ openGaps: 502 }])
  })

  test('a share weighs each feed by the time in which it was collected', () => {
    const coverage = [covered('A', 0.5), { ...covered('B', 1), seconds: 1200 }]
    expect(groupRows(sample({ coverage }), undefined, true)).toMatchObject([{ coveredShare: 0.625 }])
  })

  test('a share never looks better than it is', () => {
    const coverage = [covered('A', 1), covered('B', 0.999999)]
    expect(groupRows(sample({ coverage }), undefined, true)).toMatchObject([{ coveredShare: 0.999999 }])
    expect(groupRows(sample({ coverage: [covered('A', 1)] }), undefined, true)).toMatchObject([{ coveredShare: 1 }])
    expect(groupRows(sample(), undefined, true)).toMatchObject([{ coveredShare: undefined, isVerifiable: true }])
    expect(groupRows(sample({ feeds: [feed({ proof: 'cadence' })] }), undefined, true)).toMatchObject([
      { isVerifiable: false },
    ])
  })
})

describe('the picture', () => {
  const lines = (state: Partial<Parameters<typeof topLines>[0]>, screen: TopScreen = PLAIN) =>
    topLines(
      {
        url: 'http://localhost:8084',
        sample: sample(),
        before: undefined,
        problem: undefined,
        isConnected: true,
        ...state,
      },
      screen,
    )

  test('shows health, feeds, sinks, and what is not live with its reason, without anything that steers a terminal', () => {
    const sink = {
      name: 'nats',
      isUp: false,
      records: 77_920,
      lagRecords: 12,
      lagSeconds: 3.25,
      result: 'refused\u001b[2J; 12 records wait',
    }
    const feeds = [feed(), feed({ symbol: 'ETHUSDT', state: 'banned', reason: 'HTTP 418\u001b[2J' })]
    const checks = {
      ledger: { status: 'fail', result: 'the disk is full' },
      feeds: { status: 'warn', result: '1 of 2 feeds live' },
    } as const
    const health = { ...sample().health, status: 'degraded' as const, checks }
    const now = sample({ feeds, sinks: [sink], health, coverage: [covered('BTCUSDT', 0.5)] })
    expect(lines({ sample: now })).toEqual([
      'MarketPrism 1.2.3  degraded  up 1 d 01:01:01  http://localhost:8084',
      '2026-11-23 12:00:00 UTC  - events/s  open gaps 0  covered 50.0000 %  events 5000  errors 2',
      'fail  ledger: the disk is full',
      '',
      'VENUE    CHANNEL  LIVE  EVENTS/S  NEWEST  OLDEST  OPEN GAPS  COVERED 1 H',
      'binance  trade     1/2         -   1.5 s   1.5 s          0   50.0000 %',
      '* not verifiable: more may be missing than is known',
      '',
      'SINK  STATE  STORED  WAITING  BEHIND  IN WORDS',
      'nats  down   77.9 k       12   3.3 s  refused\\u001b[2J; 12 records wait',
      '',
      'NOT LIVE  CHANNEL  SYMBOL   STATE   SINCE (UTC)              REASON',
      'binance   trade    ETHUSDT  banned  2026-11-23 12:00:00.000  HTTP 418\\u001b[2J',
    ])
  })

  test('simulated data are called so', () => {
    const status = { ...sample().status, environment: 'simulation' }
    expect(lines({ sample: sample({ status }) })[0]).toContain('SIMULATED DATA')
  })

  test('a service that is gone: that comes first, and what is shown is said to be old', () => {
    const shown = lines({ problem: 'No service answers at http://localhost:8084: ECONNREFUSED.', isConnected: false })
    expect(shown.slice(0, 3)).toEqual([
      'NOT CONNECTED; asked again and again. What follows was true at 2026-11-23 12:00:00 UTC.',
      'No service answers at http://localhost:8084: ECONNREFUSED.',
      expect.stringContaining('MarketPrism 1.2.3'),
    ])
    expect(lines({ sample: undefined })).toEqual(['asking http://localhost:8084 …'])
    expect(lines({ sample: undefined, problem: 'No service' })).toEqual(['No service'])
  })

  test.each([
    [200, 50],
    [80, 24],
    [40, 10],
    [20, 3],
    [1, 1],
  ])('never has more than the screen: %i × %i', (width, height) => {
    const feeds = ['binance', 'okx'].flatMap((venue) =>
      (['trade', 'book'] as const).flatMap((channel) =>
        Array.from({ length: 100 }, (_, n) =>
          feed({ venue, channel, symbol: `S${n}`, state: 'stale', reason: 'é'.repeat(300) }),
        ),
      ),
    )
    const shown = lines({ sample: sample({ feeds }) }, { width, height, hasColour: true })
    expect(shown.length).toBeLessThanOrEqual(height)
    const lengths = shown.map((line) => [...withoutColours(line)].length)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(width)
    for (const line of shown) {
      expect(line.split(`${ESCAPE}[0m`).length, 'a colour ends on its line').toBe(line.split(`${ESCAPE}[3`).length)
    }
  })

  test('where the channels do not fit, each venue is one row', () => {
    const feeds = ['a', 'b', 'c'].flatMap((venue) =>
      (['trade', 'ticker', 'quote', 'book'] as const).map((channel) => feed({ venue, channel })),
    )
    const rows = (height: number) =>
      lines({ sample: sample({ feeds }) }, { ...PLAIN, height }).filter((line) => /^[abc] /.test(line))
    expect(rows(24)).toHaveLength(12)
    expect(rows(10)).toEqual([expect.stringMatching(/^a +all +4\/4/), expect.anything(), expect.anything()])
  })
})

describe('against a service', () => {
  let running: RunningApi
  let printed = ''
  beforeAll(async () => {
    running = await startApi()
  })
  afterAll(() => running.api.stop())
  beforeEach(() => {
    printed = ''
    running.collector.isInitialized = true
    vi.stubEnv('API_TOKEN', '')
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += text
      return true
    })
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  })

  const top = (...args: string[]) => topCommand().parseAsync(['--once', ...args], { from: 'user' })

  test('--once prints one picture, with rates', async () => {
    running.collector.ledger = [fakeGap({ gap_id: 'open', start_time_us: 0, state: 'open', cause: 'banned' })]
    await top('--url', running.url)
    expect(printed).toMatch(/^MarketPrism 1\.2\.3 .*SIMULATED DATA\n/)
    expect(printed).toMatch(/\nbinance +trade +3\/3 +\d/)
    expect(printed).toMatch(/\nmemory +down/)
    expect(printed).not.toContain('\u001b')
    expect(printed.endsWith('\n')).toBe(true)
  })

  test('a service that is still starting is shown too', async () => {
    running.collector.isInitialized = false
    await top('--url', running.url)
    expect(printed).toContain('covered -')
  })

  test('sinks have the figures of the metrics', async () => {
    const lines = [
      'marketprism_sink_up{sink="memory",environment="x"} 1',
      'marketprism_sink_records_total{sink="memory"} 7',
      'marketprism_sink_lag_records{environment="x",sink="memory"} 3',
      'marketprism_sink_lag_seconds{sink="memory"} 1.5',
      'marketprism_sink_lag_records{sink="another"} 9',
    ]
    vi.spyOn(running.metrics, 'text').mockReturnValue(lines.join('\n'))
    const { sinks } = await takeSample(serviceClient({ url: running.url }))
    expect(sinks).toEqual([
      { name: 'memory', isUp: true, records: 7, lagRecords: 3, lagSeconds: 1.5, result: 'writing' },
    ])
  })

  test('open gaps are those of the metrics', async () => {
    const lines = [
      'marketprism_gaps_open{venue="binance",channel="trade",environment="x"} 500',
      'marketprism_gaps_open{environment="x",channel="book",venue="okx"} 2',
    ]
    vi.spyOn(running.metrics, 'text').mockReturnValue(lines.join('\n'))
    await top('--url', running.url)
    expect(printed).toContain('open gaps 502')
  })

  test('what is no service, or another token, ends it with the reason', async () => {
    await expect(top('--url', 'http://127.0.0.1:1')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    const locked = await startApi({ config: { token: 's3cret' } })
    await expect(top('--url', locked.url)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await top('--url', locked.url, '--token', 's3cret')
    await locked.api.stop()
  })
})

describe.skipIf(scriptMissing !== undefined)('in a terminal', () => {
  const { adopt } = useProgram()

  function inTerminal(url: string, ...args: string[]) {
    const command = ['stty cols 90 rows 40; exec', process.execPath, MAIN, 'top', '--url', url, ...args].join(' ')
    const child = spawn(SCRIPT, ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
    adopt(child)
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const exit = new Promise<number | null>((resolve) => child.on('exit', resolve))
    return { child, exit, output: () => output }
  }

  test.each(['q', '\u0003'])(
    'takes the second screen and gives it back at the key %j',
    { timeout: 30_000 },
    async (key) => {
      const running = await startApi()
      const { child, exit, output } = inTerminal(running.url, '--interval', '0.2')
      await until('a rate', () => /binance +trade +3\/3 +\d/.test(withoutColours(output())), 20_000)
      expect(output()).toContain('\u001b[?1049h')
      child.stdin.write(key)
      expect(await exit).toBe(0)
      expect(output().trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
      await running.api.stop()
    },
  )

  test('says that the service is gone, and goes on when it is back', { timeout: 30_000 }, async () => {
    const first = await startApi()
    const { child, exit, output } = inTerminal(first.url, '--interval', '0.2')
    await until('a picture', () => output().includes('MarketPrism 1.2.3'), 20_000)
    await first.api.stop()
    await until('the loss', () => output().includes('NOT CONNECTED'), 20_000)
    const second = await startApi({ config: { port: first.port } })
    const end = output().length
    // The last picture of all is one without the loss.
    const newest = () => output().slice(end).split(`${ESCAPE}[H`).at(-1) ?? ''
    await until('the return', () => newest().startsWith('MarketPrism 1.2.3'), 20_000)
    child.stdin.write('q')
    expect(await exit).toBe(0)
    await second.api.stop()
  })

  test('a wrong token ends it, with the exit status and the screen given back', { timeout: 30_000 }, async () => {
    const running = await startApi({ config: { token: 's3cret' } })
    const { exit, output } = inTerminal(running.url)
    expect(await exit).toBe(77)
    expect(output().split(`${ESCAPE}[?1049l`)[1]).toMatch(/token/i)
    await running.api.stop()
  })
})

/** `marketprism gaps` and `marketprism completeness` against the real API, over real HTTP. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { completenessCommand } from '../../src/cli/completeness.ts'
import { gapsCommand } from '../../src/cli/gaps.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { fakeGap } from '../api/helpers/fake-collector.ts'
import { type RunningApi, startApi } from '../api/helpers/start-api.ts'

const NOW_US = Date.UTC(2026, 10, 23, 12) * 1000
const ago = (seconds: number): number => NOW_US - seconds * 1e6
const TOKEN = 's3cret-token'

const HEALED = fakeGap({
  gap_id: 'healed',
  start_time_us: ago(120),
  end_time_us: ago(110),
  state: 'healed',
  cause: 'sequence_gap',
  lost: 4,
  healed: 4,
})
const OPEN = fakeGap({
  gap_id: 'open',
  start_time_us: ago(3600),
  state: 'open',
  channel: 'book',
  cause: 'banned',
  reason: 'HTTP 418: banned\u001b[2J until 12:30',
})

let running: RunningApi
let printed = ''
beforeAll(async () => {
  running = await startApi({ clock: { ...systemClock(), nowUs: () => NOW_US } })
  running.collector.firstUs = () => 0
})
afterAll(() => running.api.stop())
beforeEach(() => {
  printed = ''
  showOn({ isTTY: false })
  vi.stubEnv('API_TOKEN', '')
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text
    return true
  })
  running.collector.ledger = [HEALED, OPEN]
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  process.exitCode = undefined
})

const gaps = (...args: string[]) => gapsCommand().parseAsync(['--url', running.url, ...args], { from: 'user' })
const completeness = (...args: string[]) =>
  completenessCommand().parseAsync(['--url', `${running.url}/`, ...args], { from: 'user' })

/** What standard output says that it is. */
function showOn(terminal: { readonly isTTY: boolean; readonly columns?: number }): void {
  for (const [name, value] of Object.entries(terminal)) {
    Object.defineProperty(process.stdout, name, { value, configurable: true, writable: true })
  }
}

describe('gaps', () => {
  test('are a table, the open ones first, without anything that steers a terminal', async () => {
    await gaps()
    expect(printed.split('\n')).toEqual([
      'STATE   START (UTC)               SECONDS  VENUE    CHANNEL  SYMBOL   CAUSE         LOST  HEALED  REASON',
      'open    2026-11-23 11:00:00.000  3600.000  binance  book     BTCUSDT  banned           -       -  HTTP 418: banned\\u001b[2J until 12:30',
      'healed  2026-11-23 11:58:00.000    10.000  binance  trade    BTCUSDT  sequence_gap     4       4',
      '',
      'Gaps: 2 (1 healed, 1 open), 3610.000 s together; 4 ids missed, 4 of them fetched; not countable in 1.',
      'Something is missing by 1 of them.',
      '',
    ])
    expect(process.exitCode).toBeUndefined()
  })

  test('take the same filters as the API, and say when more match', async () => {
    await gaps('--type', 'trades', '--since', '5m', '--venue', 'binance', '--state', 'healed')
    expect(printed).toContain('None leaves anything missing.')
    expect(printed).not.toContain('open ')
    printed = ''
    await gaps('--limit', '1')
    expect(printed).toContain('Only 1 of them are shown')
    printed = ''
    await gaps('--venue', 'deribit')
    expect(printed).toBe(
      'No gap matches. Streams without a proof may lack something all the same: marketprism completeness\n',
    )
  })

  test('--json is the answer’s data', async () => {
    await gaps('--json', '--limit', '1')
    expect(JSON.parse(printed)).toMatchObject({ count: 1, has_more: true, gaps: [{ gap_id: 'healed' }] })
  })

  test('--fail tells by the exit status whether something is missing', async () => {
    await gaps('--fail', '--state', 'healed')
    expect(process.exitCode).toBeUndefined()
    await gaps('--fail', '--limit', '1')
    expect(process.exitCode).toBe(1)
  })

  test('fit a terminal: coloured, and only the last column is cut', async () => {
    showOn({ isTTY: true, columns: 110 })
    await gaps()
    const row = printed.split('\n')[1] ?? ''
    expect(row.startsWith('\u001b[31mopen  \u001b[0m')).toBe(true)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
    const shown = row.replaceAll(/\u001b\[\d+m/g, '')
    expect(shown).toHaveLength(110)
    expect(shown).toMatch(/HTTP 418.*…$/)
  })
})

describe('completeness', () => {
  test('keeps what can be verified apart from what cannot, the worst first', async () => {
    await completeness('--venue', 'binance', '--symbol', 'BTCUSDT', '--since', '2h')
    expect(printed.split('\n')).toEqual([
      'From 2026-11-23 10:00:00.000 to 2026-11-23 12:00:00.000 UTC',
      '',
      'Verified: every lost message is known.',
      '',
      'VENUE    CHANNEL  SYMBOL   PROOF       COVERED  SECONDS LOST  IDS LOST  IDS HEALED  GAPS  OPEN  FROM (UTC)',
      'binance  book     BTCUSDT  range     50.0000 %      3600.000         -           -     1     1  2026-11-23 10:00:00.000',
      'binance  trade    BTCUSDT  counter  100.0000 %         0.000         0           4     1     0  2026-11-23 10:00:00.000',
      '',
      'Covered 75.0000 %, 3600.000 s lost, 0 ids lost, 4 healed; feeds: 2, lacking something: 1, open gaps: 1.',
      '',
      'Not verifiable: more may be lost than is known.',
      '',
      'VENUE    CHANNEL  SYMBOL   PROOF       COVERED  SECONDS LOST  IDS LOST  IDS HEALED  GAPS  OPEN  FROM (UTC)',
      'binance  ticker   BTCUSDT  cadence  100.0000 %         0.000         -           -     0     0  2026-11-23 10:00:00.000',
      'binance  quote    BTCUSDT  none     100.0000 %         0.000         -           -     0     0  2026-11-23 10:00:00.000',
      '',
      'Covered 100.0000 %, 0.000 s lost; feeds: 2, lacking something: 0, open gaps: 0.',
      '',
    ])
  })

  test('with a step shows the buckets that a gap touches, and counts the others', async () => {
    await completeness('--type', 'trade', '--symbol', 'BTCUSDT', '--venue', 'binance', '--since', '1h', '--step', '1m')
    expect(printed).toContain(
      'binance  trade    BTCUSDT  counter  100.0000 %         0.000         0           4     1     0  2026-11-23 11:58:00.000\n',
    )
    expect(printed).toContain('Buckets without a gap: 59 of 60.\n')
  })

  test('--fail: also when nothing was collected', async () => {
    await completeness('--fail', '--type', 'trade', '--since', '1h')
    expect(process.exitCode).toBeUndefined()
    await completeness('--fail', '--type', 'book', '--since', '1h')
    expect(process.exitCode).toBe(1)
    process.exitCode = undefined
    printed = ''
    running.collector.firstUs = () => NOW_US
    await completeness('--fail', '--since', '1h')
    running.collector.firstUs = () => 0
    expect(printed).toBe('Nothing was collected from 2026-11-23 11:00:00.000 to 2026-11-23 12:00:00.000 UTC.\n')
    expect(process.exitCode).toBe(1)
  })

  test('--json is the answer’s data', async () => {
    await completeness('--json', '--since', '1h')
    expect(JSON.parse(printed)).toMatchObject({ count: 40, summary: { unverifiable: { feeds: 20 } } })
  })
})

describe('no good answer', () => {
  test('nothing answers', async () => {
    const { url, api } = await startApi()
    await api.stop()
    await expect(gaps('--url', url)).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      message: expect.stringMatching(
        /^No service answers at http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED.* --url says where it answers\.$/,
      ),
    })
  })

  test('something else answers', async () => {
    for (const body of ['<html>', 'null', '{"status":"success","message":"","data":{}}']) {
      const server = createServer((_request, response) => response.end(body))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      await expect(gaps('--url', `http://127.0.0.1:${port}`), body).rejects.toMatchObject({
        code: 'SERVICE_UNAVAILABLE',
      })
      server.closeAllConnections()
      server.close()
    }
  })

  test('the URL is none', async () => {
    for (const url of ['localhost:8084', 'ftp://x', '', 'file:///etc/passwd']) {
      await expect(gaps('--url', url)).rejects.toMatchObject({ code: 'INVALID_PARAMETERS' })
    }
  })

  test('what the service refuses is said in its own words', async () => {
    await expect(gaps('--state', 'lost')).rejects.toMatchObject({
      code: 'INVALID_PARAMETERS',
      message: 'Invalid state parameter. Valid values: all, open, closed, healed, final',
    })
    await expect(completeness('--symbol', 'NOPE')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(printed).toBe('')
  })
})

describe('a token', () => {
  test('comes from the flag or the environment, the flag first', async () => {
    const { url, api } = await startApi({ config: { token: TOKEN } })
    await expect(gaps('--url', url)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await gaps('--url', url, '--token', TOKEN)
    vi.stubEnv('API_TOKEN', TOKEN)
    await gaps('--url', url)
    await expect(gaps('--url', url, '--token', 'another')).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await api.stop()
  })
})

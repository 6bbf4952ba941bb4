import { expect, test } from 'vitest'
import { Backoff } from '../../web/core/backoff.ts'
import { byInstrument as completenessRows, lostText } from '../../web/core/completeness-rows.ts'
import { describe as describeConnection, type Facts } from '../../web/core/connection.ts'
import { byInstrument as feedRows } from '../../web/core/feed-rows.ts'
import { protocolsOf } from '../../web/core/protocols.ts'
import { Ring } from '../../web/core/ring.ts'
import { barOf } from '../../web/core/timeline.ts'
import type { Channel, Feed, FeedCompleteness, Gap } from '../../web/core/types.ts'

const NOW_MS = Date.parse('2026-01-01T00:00:10Z')
const FACTS: Facts = {
  isReached: true,
  needsToken: false,
  isStreamOpen: true,
  answeredMs: NOW_MS,
  retryMs: undefined,
  status: {
    status: 'running',
    uptime_seconds: 1,
    version: '1',
    environment: 'production',
    collection_stats: { last_collection_time: '2026-01-01T00:00:09.000000+00:00', total_collections: 1 },
  },
  serviceMs: NOW_MS,
  nowMs: NOW_MS,
}
const status = FACTS.status as NonNullable<Facts['status']>
const words = (changes: Partial<Facts>) => describeConnection({ ...FACTS, ...changes })

test('the page says live only when everything is', () => {
  expect(words({})).toEqual({ phase: 'live', tone: 'ok', short: 'Live', long: '' })
  expect(words({ isReached: undefined }).phase).toBe('connecting')
  expect(words({ isStreamOpen: false })).toMatchObject({ phase: 'limited', short: 'Stream lost' })
  expect(words({ status: { ...status, status: 'initializing' } }).short).toBe('Starting')
  expect(words({ status: { ...status, status: 'stopping' } }).short).toBe('Stopping')
  const never = { ...status.collection_stats, last_collection_time: null }
  expect(words({ status: { ...status, collection_stats: never } }).short).toBe('No data yet')
  expect(words({ serviceMs: NOW_MS + 30_000 })).toMatchObject({ phase: 'limited', short: 'No data for 31 s' })
})

test('lost: since when, how old, and when it tries again', () => {
  expect(words({ isReached: false, nowMs: NOW_MS + 65_000, retryMs: NOW_MS + 67_500 })).toMatchObject({
    phase: 'lost',
    tone: 'bad',
    short: 'Disconnected for 1 min 5 s',
    long: expect.stringMatching(/^Everything below is from \d\d:\d\d:\d\d, 1 min 5 s ago. Trying again in 3 s\.$/),
  })
  const never = words({ isReached: false, answeredMs: undefined })
  expect(never.long).toBe('The service does not answer. Trying again now.')
  expect(words({ needsToken: true }).phase).toBe('token')
})

test('waits double up to ten seconds and start small again', () => {
  const backoff = new Backoff()
  const waits = Array.from({ length: 7 }, () => backoff.next(() => 1))
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  backoff.reset()
  expect(backoff.next(() => 0)).toBe(250)
})

test('a ring keeps the newest', () => {
  const ring = new Ring<number>(3)
  for (let i = 0; i < 10; i++) ring.push(i)
  expect(ring.newestFirst).toEqual([9, 8, 7])
})

test('a token of any characters becomes a protocol that a handshake may carry', () => {
  expect(protocolsOf(null)).toEqual([])
  const [name, bearer = ''] = protocolsOf('a token, with "é" and ÿÿÿ?>')
  expect(name).toBe('marketprism')
  expect(bearer).toMatch(/^bearer\.[\w-]+$/)
  expect(Buffer.from(bearer.slice('bearer.'.length), 'base64url').toString()).toBe('a token, with "é" and ÿÿÿ?>')
})

const feed = (symbol: string, channel: Channel, state: string, last: string | null): Feed => ({
  exchange: 'x',
  venue: 'v',
  symbol,
  channel,
  proof: 'counter',
  state,
  reason: '',
  since: '2026-01-01T00:00:00Z',
  last_message: last,
  events: 5,
  resyncs: 0,
  behind_ms: 0,
  open_gap: null,
})

test('feeds become one row an instrument, with the newest message of all', () => {
  const rows = feedRows([
    feed('A', 'trade', 'live', '2026-01-01T00:00:01Z'),
    feed('B', 'trade', 'disabled', null),
    feed('A', 'book', 'stale', '2026-01-01T00:00:02Z'),
  ])
  expect(rows.map(({ key, lastMs, events, isTroubled }) => [key, lastMs, events, isTroubled])).toEqual([
    ['v:A', Date.parse('2026-01-01T00:00:02Z'), 10, true],
    ['v:B', undefined, 5, false],
  ])
})

const covered = (symbol: string, share: number): FeedCompleteness => ({
  venue: 'v',
  symbol,
  channel: 'trade',
  verifiable: true,
  covered_share: share,
  seconds_lost: 1,
  ids_lost: 2,
  ids_healed: 0,
  gaps: 1,
  open_gaps: 0,
})

test('the least complete instrument comes first', () => {
  const rows = completenessRows([covered('A', 1), covered('C', 0.5), covered('B', 0.5)])
  expect(rows.map(({ key, worst, idsLost }) => [key, worst, idsLost])).toEqual([
    ['v:B', 0.5, 2],
    ['v:C', 0.5, 2],
    ['v:A', 1, 2],
  ])
})

test('what took no time is lost all the same', () => {
  const [row] = completenessRows([{ ...covered('A', 0.999_999), seconds_lost: 0, ids_lost: null }])
  expect(row && [lostText(row), lostText({ ...row, idsLost: 2 })]).toEqual(['0.0 s', '2 ids, 0.0 s'])
  expect(row && lostText({ ...row, worst: 1 })).toBe('none')
})

test('a gap lies where it was, cut to the window; an open one reaches its end', () => {
  const at = (start: number, end: number | null) =>
    barOf({ start_time: iso(start), end_time: end === null ? null : iso(end) } as Gap, 1000, 2000)
  const iso = (ms: number): string => new Date(ms).toISOString()
  expect(at(1250, 1500)).toMatchObject({ from: 25, width: 25 })
  expect(at(500, 1100)).toMatchObject({ from: 0, width: 10 })
  expect(at(1900, null)).toMatchObject({ from: 90, width: 10 })
})

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import type { Level } from '../../src/model/event.ts'
import { loadCaptures } from '../../src/sim/capture.ts'
import { simVenues } from '../../src/sim/index.ts'
import { createReplay } from '../../src/sim/replay.ts'
import { captureSummary, replayVenues } from '../../src/sim/replay-venues.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { clock, connect, get, until } from './helpers.ts'

/** Recordings of real exchanges, kept outside the repository. */
const FOLDER = process.env.MARKETPRISM_CAPTURES ?? join(process.cwd(), '../shared/data')
const hasCaptures = existsSync(join(FOLDER, 'captures'))
if (!hasCaptures) console.warn(`skipped: no recordings in ${FOLDER}; MARKETPRISM_CAPTURES names another folder`)

const lines = (path: string) =>
  gunzipSync(readFileSync(join(FOLDER, path)))
    .toString('utf8')
    .trimEnd()
    .split('\n')

let server: Simulator | undefined
afterEach(() => server?.stop())

const CAPTURES = [
  ['binance.20210404.cryptofeed', '/binance/stream'],
  ['binance.20211012.cryptofeed', '/binance/stream'],
  ['binance-us.20210405.cryptofeed', '/binance/stream'],
  ['binance-usdm.20210722.cryptofeed', '/binance-usdm/public/stream'],
  ['binance-usdm.ethusdt.20231230.banexg', '/binance-usdm/public/stream'],
  ['okx.20220513.cryptofeed', '/okx/ws/v5/public'],
  ['deribit.20210722.cryptofeed', '/deribit/ws/api/v2'],
] as const

/** The venue's request for these streams. */
function request(venue: string, names: readonly string[]): unknown {
  if (venue === 'okx') {
    const args = names.map((name) => ({ channel: name.split(':')[0], instId: name.split(':')[1] }))
    return { op: 'subscribe', args }
  }
  if (venue === 'deribit') return { jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: { channels: names } }
  return { method: 'SUBSCRIBE', params: names, id: 1 }
}

test.skipIf(!hasCaptures).each(CAPTURES)('%s is replayed byte for byte', async (name, path) => {
  const capture = await loadCaptures([join(FOLDER, `captures/${name}.ws.jsonl.gz`)], [])
  const replay = createReplay({ clock, capture, speed: 'max', startQuietMs: 50 })
  server = await startSimulator({ clock, venues: replayVenues(replay, simVenues) })
  const rows = captureSummary(capture).filter(({ kind }) => ['trade', 'ticker', 'quote', 'book'].includes(kind))
  const venue = rows[0]?.venue ?? ''
  const names = new Set(rows.map((row) => row.name))
  const client = await connect(`${server.url.replace('http', 'ws')}${path}`)
  client.send(request(venue, [...names]))
  await until('the end', () => replay.state().done, 15_000)
  const recorded = lines(`captures/${name}.ws.jsonl.gz`)
    .filter((line) => !line.includes('"dir":"sent"'))
    .map((line) => line.slice(line.indexOf('"msg":') + '"msg":'.length, -1))
    .filter((text) => !isControl(text) && names.has(streamOf(venue, text)))
  const data = () => client.frames.filter((frame) => !isControl(frame))
  await until('all frames', () => data().length >= recorded.length, 15_000)
  expect(recorded.length).toBeGreaterThan(40)
  expect(data()).toEqual(recorded)
  expect(replay.state().delivered).toBe(recorded.length)
  client.socket.terminate()
})

const isControl = (text: string): boolean => {
  const message = JSON.parse(text) as Record<string, unknown>
  return 'result' in message || 'event' in message
}

/** The recorded stream's name, read as plainly as possible. */
function streamOf(venue: string, text: string): string {
  const message = JSON.parse(text) as {
    stream?: string
    s?: string
    arg?: { channel: string; instId: string }
    params?: { channel: string }
  }
  if (venue === 'okx') return `${message.arg?.channel}:${message.arg?.instId}`
  if (venue === 'deribit') return message.params?.channel ?? ''
  return message.stream ?? `${message.s?.toLowerCase()}@depth`
}

interface Checkpoint {
  /** 0-based line of the recording after which the book was this. */
  readonly i: number
  readonly symbol: string
  readonly seq: number
  readonly bids: readonly (readonly number[])[]
  readonly asks: readonly (readonly number[])[]
}

const numbers = (levels: readonly Level[]) => levels.map((level) => level.map(Number))

test.skipIf(!hasCaptures).each([
  ['binance.20210404.cryptofeed', '/binance/api/v3/depth', '/binance/stream'],
  ['binance-usdm.20210722.cryptofeed', '/binance-usdm/fapi/v1/depth', '/binance-usdm/public/stream'],
])('%s: later snapshots are the book that independent code computed', async (name, rest, path) => {
  const whole = await loadCaptures([join(FOLDER, `captures/${name}.ws.jsonl.gz`)], [])
  const last = new Map<string, Checkpoint>()
  for (const line of lines(`expected/${name}.books.jsonl.gz`)) {
    const checkpoint = JSON.parse(line) as Checkpoint
    last.set(checkpoint.symbol, checkpoint)
  }
  expect(last.size).toBeGreaterThan(2)
  for (const [symbol, { i, seq, bids, asks }] of last) {
    const capture = { ...whole, frames: whole.frames.slice(0, i + 1) }
    const replay = createReplay({ clock, capture, speed: 'max', startQuietMs: 10 })
    const simulator = await startSimulator({ clock, venues: replayVenues(replay, simVenues) })
    server = simulator
    const client = await connect(`${simulator.url.replace('http', 'ws')}${path}?streams=zz@depth`)
    await until('the end', () => replay.state().done, 15_000)
    const url = `${simulator.url}${rest}?symbol=${symbol}&limit=20`
    const recorded = (await get(url)).body as { lastUpdateId: number }
    const kept = (await get(url)).body as { lastUpdateId: number; bids: Level[]; asks: Level[] }
    expect(kept.lastUpdateId).toBeGreaterThan(recorded.lastUpdateId)
    expect([kept.lastUpdateId, numbers(kept.bids), numbers(kept.asks)]).toEqual([seq, bids, asks])
    client.socket.terminate()
    await simulator.stop()
  }
  server = undefined
})

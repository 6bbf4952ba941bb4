/** The whole service against recorded sessions over real sockets: every trade once, every book as recorded. */

import { afterEach, describe, expect, test } from 'vitest'
import type { BookDelta, BookSnapshot, MarketEvent } from '../../src/model/event.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { loadCaptures } from '../../src/sim/capture.ts'
import { simVenues } from '../../src/sim/index.ts'
import { createReplay } from '../../src/sim/replay.ts'
import { captureSummary, replayVenues } from '../../src/sim/replay-venues.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { type RunningService, startService, until } from '../helpers/service.ts'
import { hasSharedData, readJsonLines, sharedFile, WHY_SKIPPED } from '../helpers/shared-data.ts'

interface Session {
  readonly name: string
  /** Below the data folder. */
  readonly folder: string
  readonly speed: number
}

/** Recordings of each venue; `CAPTURES=all` adds those that take minutes. */
const SESSIONS: readonly Session[] = [
  { name: 'binance.20210417.cryptofeed', folder: 'captures', speed: 15 },
  { name: 'binance-usdm.20210722.cryptofeed', folder: 'captures', speed: 15 },
  { name: 'binance-usdm.btcusdt.20230404.hftbacktest', folder: 'captures', speed: 20 },
  { name: 'okx.20220513.cryptofeed', folder: 'captures', speed: 5 },
  { name: 'okx.20210722.conn1.cryptofeed', folder: 'captures', speed: 15 },
  { name: 'deribit.20210722.cryptofeed', folder: 'captures', speed: 15 },
  { name: 'deribit.btc-perpetual.20190401.s00-30', folder: 'reconstructed', speed: 15 },
]
const LONG_SESSIONS: readonly Session[] = [
  { name: 'binance.20210404.cryptofeed', folder: 'captures', speed: 20 },
  { name: 'binance-us.20210405.cryptofeed', folder: 'captures', speed: 20 },
  { name: 'binance.btcusdt.20240808-09.hftbacktest', folder: 'captures', speed: 30 },
  { name: 'binance-usdm.btcusdt.20240808.hftbacktest', folder: 'captures', speed: 30 },
  { name: 'binance-usdm.ethusdt.20240718-19.hftbacktest', folder: 'captures', speed: 30 },
]
const sessions = process.env.CAPTURES === 'all' ? [...SESSIONS, ...LONG_SESSIONS] : SESSIONS

interface Checkpoint {
  /** Line of the recording after which it stands. */
  readonly i: number
  readonly symbol: string
  readonly seq: number | null
  readonly bids: readonly (readonly [number, number])[]
  readonly asks: readonly (readonly [number, number])[]
}

let simulator: Simulator | undefined
let running: RunningService | undefined

afterEach(async () => {
  await running?.stop()
  await simulator?.stop()
})

describe.skipIf(!hasSharedData)(`recorded sessions${hasSharedData ? '' : ` (skipped: ${WHY_SKIPPED})`}`, () => {
  test.each(sessions)('$name', { timeout: 120_000 }, async (session) => {
    const { replay, symbols } = await play(session)
    const service = await collect(symbols)
    await until('the end of the recording', () => replay.state().done, 110_000)
    const { venue } = replay.capture.frames[0] as { venue: string }
    const received = () =>
      service.get('/api/v1/collector/stats').then(({ data }) => data.collection_stats.websocket_messages)
    await until('every frame to be received', async () => (await received()) >= replay.state().delivered)

    expect(tradeIds(service.events)).toEqual(recordedTradeIds(session))
    expect(checkBooks(session, service.events)).toBeGreaterThan(0)
    expect(service.log.filter(({ level }) => level === 'ERROR')).toEqual([])

    const delivered = (kind: string) =>
      replay
        .state()
        .topics.filter((topic) => topic.kind === kind)
        .reduce((sum, topic) => sum + topic.delivered, 0)
    const metrics = await service.text('/metrics')
    const counted = (type: string) =>
      Number(
        new RegExp(`events_collected_total\\{venue="${venue}",type="${type}"[^}]*\\} (\\d+)`).exec(metrics)?.[1] ?? 0,
      )
    expect(counted('trade')).toBe(new Set(recordedTradeIds(session)).size)
    expect(counted('quote')).toBe(delivered('quote'))
    expect(counted('ticker')).toBe(delivered('ticker'))
    expect(metrics).not.toMatch(/frames_malformed_total\{[^}]*\} [1-9]/)
    const { data } = await service.get('/api/v1/collector/stats')
    expect(data.service_stats.total_collections).toBe(service.events.length)
  })
})

async function play({ name, folder, speed }: Session) {
  const clock = systemClock()
  const capture = await loadCaptures([sharedFile(`${folder}/${name}.ws.jsonl.gz`)], [])
  const replay = createReplay({ clock, capture, speed, startQuietMs: 300 })
  simulator = await startSimulator({
    clock,
    venues: replayVenues(replay, simVenues),
    state: () => ({ replay: replay.state() }),
  })
  const symbols: Record<string, string[]> = {}
  for (const row of captureSummary(capture)) {
    const list = symbols[row.venue] ?? []
    symbols[row.venue] = list
    if (!list.includes(row.symbol)) list.push(row.symbol)
  }
  return { replay, symbols }
}

async function collect(symbols: Record<string, string[]>): Promise<RunningService> {
  running = await startService(simulator as Simulator, symbols)
  return running
}

const tradeIds = (events: readonly MarketEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'trade' ? [`${event.symbol} ${event.trade_id}`] : [])).sort()

/** Read from the raw frames, by the venues' field names. */
function recordedTradeIds({ name, folder }: Session): string[] {
  // biome-ignore lint/suspicious/noExplicitAny: raw frames of four venues
  const rows = readJsonLines<{ dir?: string; msg: any }>(`${folder}/${name}.ws.jsonl.gz`)
  const ids = rows.flatMap(({ dir, msg }) => {
    if (dir === 'sent') return []
    const data = msg.data ?? msg
    if (data.e === 'trade') return [`${data.s} ${data.t}`]
    if (data.e === 'aggTrade') return [`${data.s} ${data.a}`]
    if (msg.arg?.channel === 'trades' && msg.data)
      return msg.data.map((t: Record<string, string>) => `${t.instId} ${t.tradeId}`)
    if (msg.params?.channel?.startsWith('trades.'))
      return msg.params.data.map((t: Record<string, string>) => `${t.instrument_name} ${t.trade_id}`)
    return []
  })
  return [...new Set<string>(ids)].sort()
}

/** Books built by a consumer from nothing but the events, against the recorded checkpoints. How many were compared. */
function checkBooks(session: Session, events: readonly MarketEvent[]): number {
  const checkpoints = readJsonLines<Checkpoint>(`expected/${session.name}.books.jsonl.gz`)
  const ordinals = bookOrdinals(session)
  const states = replayBooks(events)
  let compared = 0
  for (const checkpoint of checkpoints) {
    const steps = states.get(checkpoint.symbol) ?? []
    const step =
      checkpoint.seq === null
        ? steps[ordinals.get(`${checkpoint.symbol} ${checkpoint.i}`) ?? -1]
        : steps.find(({ sequence }) => sequence === checkpoint.seq)
    // A snapshot that is newer than the checkpoint stands for it.
    if (step === undefined && checkpoint.seq !== null && checkpoint.seq < (steps[0]?.sequence ?? 0)) continue
    expect(step, `a book of ${checkpoint.symbol} at line ${checkpoint.i}`).toBeDefined()
    expect([step?.bids, step?.asks], `${checkpoint.symbol} at line ${checkpoint.i}`).toEqual([
      checkpoint.bids,
      checkpoint.asks,
    ])
    compared++
  }
  return compared
}

/** How many book frames of its symbol came before a line, for recordings without sequences. */
function bookOrdinals({ name, folder }: Session): Map<string, number> {
  // biome-ignore lint/suspicious/noExplicitAny: raw frames
  const rows = readJsonLines<{ msg: any }>(`${folder}/${name}.ws.jsonl.gz`)
  const counts = new Map<string, number>()
  const ordinals = new Map<string, number>()
  rows.forEach(({ msg }, line) => {
    if (!msg.arg?.channel?.startsWith('books') || msg.action === undefined) return
    const symbol: string = msg.arg.instId
    const count = counts.get(symbol) ?? 0
    ordinals.set(`${symbol} ${line}`, count)
    counts.set(symbol, count + 1)
  })
  return ordinals
}

interface BookStep {
  readonly sequence: number | undefined
  readonly bids: readonly (readonly [number, number])[]
  readonly asks: readonly (readonly [number, number])[]
}

interface MapBook {
  readonly bids: Map<number, number>
  readonly asks: Map<number, number>
  readonly steps: BookStep[]
}

/** The best 20 levels after each book event of each symbol, by a book of two plain maps. */
function replayBooks(events: readonly MarketEvent[]): Map<string, BookStep[]> {
  const books = new Map<string, MapBook>()
  const set = (side: Map<number, number>, levels: BookDelta['bids']) => {
    for (const [price, quantity] of levels) {
      if (Number(quantity) === 0) side.delete(Number(price))
      else side.set(Number(price), Number(quantity))
    }
  }
  const best = (side: Map<number, number>, sign: number) => [...side].sort(([a], [b]) => sign * (a - b)).slice(0, 20)
  for (const event of events) {
    if (event.type !== 'book_snapshot' && event.type !== 'book_delta') continue
    const known = books.get(event.symbol)
    const book: MapBook = known ?? { bids: new Map(), asks: new Map(), steps: [] }
    books.set(event.symbol, book)
    if (event.type === 'book_snapshot') {
      book.bids.clear()
      book.asks.clear()
    }
    set(book.bids, event.bids)
    set(book.asks, event.asks)
    book.steps.push({ sequence: sequenceOf(event), bids: best(book.bids, -1), asks: best(book.asks, 1) })
  }
  return new Map([...books].map(([symbol, { steps }]) => [symbol, steps]))
}

const sequenceOf = (event: BookSnapshot | BookDelta): number | undefined =>
  event.type === 'book_snapshot' ? event.sequence : event.last_sequence

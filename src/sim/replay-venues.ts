import { SPOT_RULES } from './binance.ts'
import { createBinanceExchange } from './binance-exchange.ts'
import { parseStream, type StreamListener, type Streams } from './binance-streams.ts'
import { USDM_PATHS, USDM_RULES, usdmPath } from './binance-usdm.ts'
import type { Capture } from './capture.ts'
import type { SimContext, SimExchange, SimPeer, SimSession, SimVenue } from './exchange.ts'
import type { Replay, ReplayListener } from './replay.ts'
import { createReplayRest, type ReplayWords } from './replay-rest.ts'
import { deribitReplaySession, okxReplaySession } from './replay-sessions.ts'
import { binanceTopic } from './replay-topics.ts'

/** Each recorded venue with its own paths, requests and acks; its data are those of the recording, byte for byte. */
export function replayVenues(replay: Replay, venues: readonly SimVenue[]): SimVenue[] {
  const recorded = new Set(replay.capture.frames.map(({ venue }) => venue))
  return venues
    .filter(({ id }) => recorded.has(id))
    .map((venue) => ({
      id: venue.id,
      title: `${venue.title}, recorded`,
      instruments: [],
      options: venue.options,
      create: (context) => create(venue.id, replay, context),
    }))
}

export interface CaptureRow {
  readonly venue: string
  readonly kind: string
  readonly symbol: string
  readonly name: string
  readonly frames: number
}

/** What a recording holds. */
export function captureSummary({ frames }: Capture): CaptureRow[] {
  const rows = new Map<string, CaptureRow>()
  for (const { venue, topic } of frames) {
    const key = `${venue} ${topic.name}`
    rows.set(key, { venue, ...topic, frames: (rows.get(key)?.frames ?? 0) + 1 })
  }
  return [...rows.values()]
}

function create(venue: string, replay: Replay, context: SimContext): SimExchange {
  if (venue === 'okx') {
    const paths = ['/ws/v5/public', '/ws/v5/business']
    return simple(venue, replay, context, (peer) =>
      paths.includes(peer.path) ? okxReplaySession(replay, peer) : undefined,
    )
  }
  if (venue === 'deribit') {
    return simple(venue, replay, context, (peer) =>
      peer.path === '/ws/api/v2' ? deribitReplaySession(replay, peer, context) : undefined,
    )
  }
  const rest = createReplayRest(venue, replay, context.clock, words(venue, context))
  return createBinanceExchange({
    context,
    streams: streamsOf(venue, replay),
    rules: venue === 'binance' ? SPOT_RULES : USDM_RULES,
    rest: (request) => rest.answer(request),
    opened: () => {},
    carries: venue === 'binance' ? (prefix) => (prefix === '' ? true : undefined) : carriesUsdm,
    orders: {},
    stop: () => replay.stop(),
  })
}

/** Recordings from before the split have their trades anywhere: both paths carry them. */
function carriesUsdm(prefix: string, name: string): boolean | undefined {
  if (!USDM_PATHS.includes(prefix)) return undefined
  const kind = parseStream(name)?.kind ?? ''
  const isTrade = kind === 'trade' || kind === 'aggTrade'
  return isTrade ? prefix !== '' : prefix === usdmPath(kind)
}

/** A Binance session subscribes to the replay through this. */
function streamsOf(venue: string, replay: Replay): Streams {
  const listeners = new WeakMap<StreamListener, ReplayListener>()
  return {
    has: () => false,
    add(name, session) {
      const topic = binanceTopic(name)
      const listener = listeners.get(session) ?? {
        relay: (about, frame) => session.relay(about, frame),
        bufferedBytes: () => session.bufferedBytes(),
      }
      listeners.set(session, listener)
      if (topic) replay.subscribe(venue, topic, listener)
    },
    remove(name, session) {
      const topic = binanceTopic(name)
      const listener = listeners.get(session)
      if (topic && listener) replay.unsubscribe(venue, topic, listener)
    },
    publish: () => {},
  }
}

function simple(
  venue: string,
  replay: Replay,
  context: SimContext,
  connect: (peer: SimPeer) => SimSession | undefined,
): SimExchange {
  const rest = createReplayRest(venue, replay, context.clock, words(venue, context))
  return { rest: (request) => rest.answer(request), connect, order: () => undefined, stop: () => replay.stop() }
}

function words(venue: string, { clock }: SimContext): ReplayWords {
  const now = () => Math.floor(clock.nowUs() / 1000)
  switch (venue) {
    case 'okx':
      return {
        live: { time: () => ({ code: '0', msg: '', data: [{ ts: String(now()) }] }) },
        missing: (what) => answer(404, { code: '51000', msg: `${what} was not recorded`, data: [] }),
        rowsKey: 'data',
      }
    case 'deribit':
      return {
        live: {
          get_time: () => ({ jsonrpc: '2.0', result: now(), testnet: false }),
          test: () => ({ jsonrpc: '2.0', result: { version: '1.2.26' }, testnet: false }),
        },
        missing: (what) => {
          const error = { code: 13020, message: 'not_found', data: { reason: `${what} was not recorded` } }
          return answer(404, { jsonrpc: '2.0', error, testnet: false })
        },
        rowsKey: 'result',
      }
    default:
      return {
        live: { ping: () => ({}), time: () => ({ serverTime: now() }) },
        missing: (what) => answer(404, { code: -5000, msg: `${what} was not recorded` }),
      }
  }
}

const answer = (status: number, body: unknown) => ({ status, body: JSON.stringify(body) })

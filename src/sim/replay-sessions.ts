/** The connections of OKX and Deribit during a replay: acknowledge, answer heartbeats, and pass on what was recorded. */

import type { SimContext, SimPeer, SimSession } from './exchange.ts'
import type { Replay, ReplayListener } from './replay.ts'
import { deribitTopic, okxTopic, type ReplayTopic } from './replay-topics.ts'

type Message = Readonly<Record<string, unknown>>

/** Subscriptions of one connection to a replay. */
class Subscriptions {
  readonly #replay: Replay
  readonly #venue: string
  readonly #listener: ReplayListener
  readonly #topics = new Map<string, ReplayTopic>()

  constructor(replay: Replay, venue: string, peer: SimPeer) {
    this.#replay = replay
    this.#venue = venue
    this.#listener = { relay: (topic, frame) => peer.send(topic, frame), bufferedBytes: () => peer.bufferedBytes() }
  }

  add(topic: ReplayTopic): void {
    this.#topics.set(topic.name, topic)
    this.#replay.subscribe(this.#venue, topic, this.#listener)
  }

  remove(topic: ReplayTopic): void {
    this.#topics.delete(topic.name)
    this.#replay.unsubscribe(this.#venue, topic, this.#listener)
  }

  clear(): void {
    for (const topic of [...this.#topics.values()]) this.remove(topic)
  }
}

/** Source: https://www.okx.com/docs-v5/en/#overview-websocket */
export function okxReplaySession(replay: Replay, peer: SimPeer): SimSession {
  const subscriptions = new Subscriptions(replay, 'okx', peer)
  const connId = peer.id.toString(16).padStart(8, '0')
  const send = (message: Message) => peer.sendControl(JSON.stringify(message))

  function request({ id, op, args }: Message): void {
    const echo = id === undefined ? {} : { id }
    for (const arg of Array.isArray(args) ? (args as unknown[]) : []) {
      const topic = okxTopic(arg)
      if (!topic) {
        send({
          ...echo,
          event: 'error',
          code: '60018',
          msg: `Wrong URL or ${JSON.stringify(arg)} doesn't exist.`,
          connId,
        })
        continue
      }
      send({ ...echo, event: op, arg, connId })
      if (op === 'subscribe') subscriptions.add(topic)
      else subscriptions.remove(topic)
    }
  }

  return {
    text(frame) {
      if (frame === 'ping') return peer.sendControl('pong')
      const message = parse(frame)
      if (message?.op === 'subscribe' || message?.op === 'unsubscribe') request(message)
      else send({ event: 'error', code: '60012', msg: `Invalid request: ${frame}`, connId })
    },
    ping: () => {},
    pong: () => {},
    closed: () => subscriptions.clear(),
  }
}

/** Source: https://docs.deribit.com/#json-rpc-over-websocket */
export function deribitReplaySession(replay: Replay, peer: SimPeer, { clock }: SimContext): SimSession {
  const subscriptions = new Subscriptions(replay, 'deribit', peer)
  let stopHeartbeat: (() => void) | undefined

  function heartbeat(intervalSeconds: number): void {
    const params = { type: 'heartbeat' }
    const text = JSON.stringify({ jsonrpc: '2.0', method: 'heartbeat', params })
    stopHeartbeat?.()
    stopHeartbeat = clock.every(Math.max(10, intervalSeconds) * 1000, () => peer.sendControl(text))
  }

  /** The method's result; `undefined`: no such method. */
  function result(method: unknown, params: Message): unknown {
    const channels = (Array.isArray(params.channels) ? params.channels : []).filter((name) => typeof name === 'string')
    const topics = channels.flatMap((name) => deribitTopic(name) ?? [])
    switch (method) {
      case 'public/subscribe':
        for (const topic of topics) subscriptions.add(topic)
        return channels
      case 'public/unsubscribe':
        for (const topic of topics) subscriptions.remove(topic)
        return channels
      case 'public/unsubscribe_all':
        subscriptions.clear()
        return 'ok'
      case 'public/set_heartbeat':
        heartbeat(Number(params.interval))
        return 'ok'
      case 'public/disable_heartbeat':
        stopHeartbeat?.()
        return 'ok'
      case 'public/test':
      case 'public/hello':
        return { version: '1.2.26' }
      case 'public/get_time':
        return Math.floor(clock.nowUs() / 1000)
      default:
        return undefined
    }
  }

  return {
    text(frame) {
      const usIn = clock.nowUs()
      const message = parse(frame)
      if (message?.id === undefined) {
        const error = { code: -32600, message: 'Invalid Request', data: { reason: 'an object with an id is expected' } }
        return peer.sendControl(JSON.stringify({ jsonrpc: '2.0', error }))
      }
      const found = result(message.method, isMessage(message.params) ? message.params : {})
      const outcome = found === undefined ? { error: { code: -32601, message: 'Method not found' } } : { result: found }
      const usOut = clock.nowUs()
      const times = { usIn, usOut, usDiff: usOut - usIn, testnet: false }
      peer.sendControl(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...outcome, ...times }))
    },
    ping: () => {},
    pong: () => {},
    closed() {
      stopHeartbeat?.()
      subscriptions.clear()
    },
  }
}

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parse(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isMessage(value) ? value : undefined
  } catch {
    return undefined
  }
}

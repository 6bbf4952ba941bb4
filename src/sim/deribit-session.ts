import { parseChannel } from './deribit-channels.ts'
import type { Json } from './deribit-json.ts'
import {
  answerText,
  invalidParams,
  invalidRequest,
  type Method,
  methodNotFound,
  outcome,
  type Params,
  RpcFailure,
  tooManyRequests,
  wholeParam,
} from './deribit-rpc.ts'
import type { SimContext, SimPeer, SimSession } from './exchange.ts'
import type { Listener, Topics } from './topics.ts'

/** One frame, or one POST body. */
const FRAME_BYTES_MAX = 32 * 1024
const HEARTBEAT_SECONDS_MIN = 10
/** Unread bytes at which the venue gives up on a slow client. */
const BUFFERED_BYTES_MAX = 8 * 2 ** 20
/** The venue documents no close codes; this one means that a rule was broken. */
const POLICY_CODE = 1008

/** What a session needs of its exchange. */
export interface DeribitHall {
  readonly context: SimContext
  readonly topics: Topics
  readonly methods: Readonly<Record<string, Method>>
  /** False when the client has no credits left for the method. */
  takeCredits(client: string, method: string): boolean
  /** Sends what a new listener of the channel gets at once. */
  welcome(listener: Listener, channel: string): void
  isLocked(): boolean
  left(session: DeribitSession): void
}

/** One connection. */
export class DeribitSession implements SimSession, Listener {
  readonly #hall: DeribitHall
  readonly #peer: SimPeer
  readonly #methods: Readonly<Record<string, Method>>
  readonly #channels = new Set<string>()
  /** Channels subscribed by the request at hand, whose first notification follows the answer. */
  #fresh: string[] = []
  #stopHeartbeat: (() => void) | undefined
  #isTestDue = false
  #isClosed = false

  constructor(hall: DeribitHall, peer: SimPeer) {
    this.#hall = hall
    this.#peer = peer
    const test = hall.methods['public/test'] as Method
    this.#methods = {
      ...hall.methods,
      'public/test': (params) => {
        this.#isTestDue = false
        return test(params)
      },
      'public/set_heartbeat': (params) => this.#setHeartbeat(params),
      'public/disable_heartbeat': () => {
        this.#stopHeartbeat?.()
        this.#isTestDue = false
        return 'ok'
      },
      'public/subscribe': (params) => this.#subscribe(params),
      'public/unsubscribe': (params) => this.#channelsParam(params).filter((name) => this.#unsubscribe(name)),
      'public/unsubscribe_all': () => {
        for (const name of this.#channels) this.#unsubscribe(name)
        return 'ok'
      },
    }
  }

  /** Market data. */
  send(topic: Parameters<SimPeer['send']>[0], text: string): void {
    if (this.#peer.bufferedBytes() <= BUFFERED_BYTES_MAX) this.#peer.send(topic, text)
    else this.#expel('slow-consumer', 'connection_too_slow')
  }

  text(frame: string): void {
    if (this.#isClosed) return
    const usIn = this.#hall.context.clock.nowUs()
    const request = this.#parse(frame)
    if (request instanceof RpcFailure) {
      this.#reply(request, null, usIn)
      return
    }
    if (!this.#hall.takeCredits(this.#peer.client, request.method)) {
      this.#reply(tooManyRequests(), request.id, usIn)
      this.#expel('credits', 'too_many_requests')
      return
    }
    const answer = outcome(() => this.#call(request.method, request.params))
    this.#reply(answer, request.id, usIn)
    for (const channel of this.#fresh.splice(0)) this.#hall.welcome(this, channel)
  }

  ping(): void {}
  pong(): void {}

  closed(): void {
    this.#isClosed = true
    this.#stopHeartbeat?.()
    this.#hall.topics.leave(this)
    this.#hall.left(this)
  }

  /** Ends the connection, for a reason that is no fault of the client if `rule` is `undefined`. */
  end(reason: string): void {
    this.#isClosed = true
    this.#stopHeartbeat?.()
    this.#hall.topics.leave(this)
    this.#peer.close(POLICY_CODE, reason)
  }

  /** A request with all that JSON-RPC and this venue demand. */
  #parse(frame: string): { id: Json; method: string; params: unknown } | RpcFailure {
    if (Buffer.byteLength(frame) > FRAME_BYTES_MAX) {
      this.#violation('frame-size', `${Buffer.byteLength(frame)} bytes, at most ${FRAME_BYTES_MAX}`)
      return new RpcFailure(-32600, 'request entity too large')
    }
    const request = parseJson(frame)
    if (request === undefined) {
      this.#violation('parse-error', frame)
      return new RpcFailure(-32700, 'Parse error')
    }
    const { id, method, params } = request
    if ((typeof id === 'string' || Number.isSafeInteger(id)) && typeof method === 'string') {
      return { id: id as Json, method, params }
    }
    this.#violation('invalid-request', frame)
    return invalidRequest(typeof method === 'string' ? 'id required' : 'method required')
  }

  #call(method: string, params: unknown): Json {
    if (method.startsWith('private/')) throw new RpcFailure(13009, 'unauthorized')
    const run = Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined
    if (!run) throw methodNotFound()
    if (params === undefined) return run({})
    if (typeof params !== 'object' || params === null || Array.isArray(params)) {
      throw invalidParams('params', 'named parameters required')
    }
    return run(params as Params)
  }

  #subscribe(params: Params): Json {
    const names = this.#channelsParam(params)
    if (this.#hall.isLocked()) throw new RpcFailure(11051, 'system_maintenance')
    if (names.some((name) => parseChannel(name)?.kind === 'raw')) {
      throw new RpcFailure(13778, 'raw_subscriptions_not_available_for_unauthorized')
    }
    const { admission } = this.#hall.context
    if (names.some((name) => admission?.(name) === 'busy')) throw new RpcFailure(10041, 'retry')
    const good = names.filter((name) => this.#isChannel(name) && admission?.(name) !== 'refused')
    for (const name of good) {
      this.#channels.add(name)
      if (admission?.(name) !== 'silent' && this.#hall.topics.add(name, this)) this.#join(name)
    }
    return good
  }

  #join(name: string): void {
    this.#fresh.push(name)
    this.#tell(name, true)
  }

  #tell(name: string, isOn: boolean): void {
    const channel = parseChannel(name)
    const word = name.slice(0, name.indexOf('.'))
    if (channel?.kind === 'line')
      this.#peer.subscribed?.({ channel: word === 'trades' ? 'trade' : word, symbol: channel.symbol }, isOn)
  }

  #isChannel(name: string): boolean {
    const channel = parseChannel(name)
    if (channel?.kind !== 'line') return channel !== undefined
    return this.#hall.context.market.find(channel.symbol) !== undefined
  }

  #unsubscribe(name: string): boolean {
    if (this.#hall.topics.remove(name, this)) this.#tell(name, false)
    return this.#channels.delete(name)
  }

  #channelsParam({ channels }: Params): string[] {
    if (channels === undefined) throw invalidParams('channels', 'value required')
    if (!Array.isArray(channels) || channels.length === 0 || !channels.every((name) => typeof name === 'string')) {
      throw invalidParams('channels', 'wrong format')
    }
    return channels
  }

  /** Sends a heartbeat and a test request in turn; an unanswered test request ends the connection. */
  #setHeartbeat(params: Params): Json {
    const seconds = wholeParam(params, 'interval')
    if (seconds === undefined) throw invalidParams('interval', 'value required')
    if (seconds < HEARTBEAT_SECONDS_MIN) throw invalidParams('interval', `must be at least ${HEARTBEAT_SECONDS_MIN}`)
    this.#stopHeartbeat?.()
    this.#isTestDue = false
    let beats = 0
    const { clock, timeScale } = this.#hall.context
    this.#stopHeartbeat = clock.every((seconds * 1000) / timeScale, () => {
      if (this.#isTestDue) {
        this.#expel('heartbeat', 'test_request not answered')
        return
      }
      beats += 1
      this.#isTestDue = beats % 2 === 0
      const type = this.#isTestDue ? 'test_request' : 'heartbeat'
      this.#peer.sendControl(`{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"${type}"}}`)
    })
    return 'ok'
  }

  #reply(answer: Json | RpcFailure, id: Json, usIn: number): void {
    this.#peer.sendControl(answerText(answer, id, usIn, this.#hall.context.clock.nowUs()))
  }

  #expel(rule: string, reason: string): void {
    this.#violation(rule, reason)
    this.end(reason)
  }

  #violation(rule: string, detail: string): void {
    this.#hall.context.violation(rule, detail.slice(0, 200))
  }
}

/** `undefined` for what is no JSON; empty for what is no object (batches are not supported). */
function parseJson(frame: string): Params | undefined {
  try {
    const value: unknown = JSON.parse(frame)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Params) : {}
  } catch {
    return undefined
  }
}

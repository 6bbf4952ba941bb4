import { type ControlRequest, failureText, type IdRule, parseControl } from './binance-control.ts'
import { channelOfKind, parseStream, type StreamListener, type Streams, type StreamTopic } from './binance-streams.ts'
import type { Admission, SimContext, SimPeer, SimSession } from './exchange.ts'

/** A venue's rules for one stream connection. Times in real ms; the simulator's time scale divides the long ones. */
export interface SessionRules {
  readonly idRule: IdRule
  readonly pingMs: number
  readonly pongMs: number
  readonly incomingPerSecondMax: number
}

const STREAMS_MAX = 1024
const LIFETIME_MS = 24 * 3_600_000
/** However fast the clock is scaled, a client on a busy machine can answer in this time. */
const SCALED_PING_MS_MIN = 50
const SCALED_PONG_MS_MIN = 2_000
/** The close code of broken rules is not documented; 1008 is what clients report. */
const POLICY = 1008

export interface SessionOptions {
  readonly context: SimContext
  readonly peer: SimPeer
  readonly streams: Streams
  readonly rules: SessionRules
  /** `/stream` wraps payloads with their stream's name, `/ws` does not. */
  readonly isCombined: boolean
  /** Streams named in the URL. */
  readonly names: readonly string[]
  /** Whether the connection's path carries a stream. What it does not carry is acknowledged and stays silent. */
  carries(name: string): boolean
  left(session: BinanceSession): void
}

/** One stream connection: its subscriptions, heartbeat and limits. */
export class BinanceSession implements SimSession, StreamListener {
  readonly isMicroseconds: boolean
  readonly #options: SessionOptions
  readonly #names = new Set<string>()
  readonly #stops: (() => void)[]
  /** Deadlines of the pings that have no pong yet. */
  readonly #pings = new Map<string, () => void>()
  #incoming: number[] = []
  /** Those of them that are no pongs. */
  #spoken: number[] = []
  #isCombined: boolean
  #isEnded = false

  constructor(options: SessionOptions) {
    const { clock, timeScale } = options.context
    this.#options = options
    this.#isCombined = options.isCombined
    this.isMicroseconds = options.peer.query.get('timeUnit')?.toUpperCase() === 'MICROSECOND'
    this.#stops = [
      clock.every(Math.max(SCALED_PING_MS_MIN, options.rules.pingMs / timeScale), () => this.#ping()),
      clock.after(LIFETIME_MS / timeScale, () => this.end(POLICY, 'disconnected after 24 hours')),
    ]
    this.#subscribe(options.names)
  }

  deliver(stream: string, topic: StreamTopic, payload: string): void {
    this.#options.peer.send(topic, this.#isCombined ? `{"stream":"${stream}","data":${payload}}` : payload)
  }

  relay(topic: StreamTopic, frame: string): void {
    this.#options.peer.send(topic, frame)
  }

  bufferedBytes(): number {
    return this.#options.peer.bufferedBytes()
  }

  /** A notice that belongs to no subscription. */
  notify(stream: string, payload: string): void {
    this.#options.peer.sendControl(this.#isCombined ? `{"stream":"${stream}","data":${payload}}` : payload)
  }

  text(frame: string): void {
    if (!this.#count()) return
    const parsed = parseControl(frame, this.#options.rules.idRule)
    const answer = 'error' in parsed ? parsed : this.#answer(parsed.request)
    if ('error' in answer) this.#violation('bad-request', frame.slice(0, 200))
    this.#options.peer.sendControl('error' in answer ? answer.error : answer.result)
  }

  ping(): void {
    this.#count()
  }

  pong(payload: string): void {
    const isAnswer = this.#pings.has(payload)
    // Pongs count as messages, but a scaled clock asks for more of them than the cap was made for, and late ones come together.
    if (this.#options.context.timeScale === 1) this.#count(true)
    // Unsolicited pongs are allowed and prove nothing.
    if (!isAnswer) return
    for (const stop of this.#pings.values()) stop()
    this.#pings.clear()
  }

  /** Ends the connection from the server's side. */
  end(code: number, reason: string): void {
    if (this.#isEnded) return
    this.#release()
    this.#options.peer.close(code, reason)
  }

  closed(): void {
    this.#release()
    this.#options.left(this)
  }

  #answer({ method, params, id }: ControlRequest): Answer {
    const names = params.filter((name) => typeof name === 'string')
    switch (method) {
      case 'SUBSCRIBE':
        // The code for what the venue will not serve is not documented.
        if (names.some((name) => this.#admission(name) === 'refused'))
          return { result: failureText(2, 'Invalid request: stream is not available', id) }
        this.#subscribe(names)
        return acknowledge(null, id)
      case 'UNSUBSCRIBE':
        for (const name of names) this.#unsubscribe(name)
        return acknowledge(null, id)
      case 'LIST_SUBSCRIPTIONS':
        return acknowledge([...this.#names], id)
      default:
        return this.#property(method, params, id)
    }
  }

  #property(method: 'SET_PROPERTY' | 'GET_PROPERTY', params: readonly unknown[], id: ControlRequest['id']): Answer {
    const [name, value] = params
    if (params.length > (method === 'SET_PROPERTY' ? 2 : 1)) return failure(2, 'Invalid request: too many parameters')
    if (typeof name !== 'string') return failure(2, 'Invalid request: property name must be a string')
    if (name !== 'combined') return failure(0, 'Unknown property', id)
    if (method === 'GET_PROPERTY') return acknowledge(this.#isCombined, id)
    if (typeof value !== 'boolean') return failure(1, 'Invalid value type: expected Boolean')
    this.#isCombined = value
    return acknowledge(null, id)
  }

  #subscribe(names: readonly string[]): void {
    const { carries } = this.#options
    for (const name of names) {
      this.#names.add(name)
      if (this.#admission(name) === 'silent') continue
      if (carries(name)) this.#join(name)
      else this.#violation('wrong-path', `${name} on ${this.#options.peer.path}`)
    }
    if (this.#names.size <= STREAMS_MAX) return
    this.#violation('streams', `${this.#names.size} streams on one connection, at most ${STREAMS_MAX}`)
    this.end(POLICY, 'Too many streams')
  }

  #join(name: string): void {
    this.#options.streams.add(name, this)
    this.#tell(name, true)
  }

  #tell(name: string, isOn: boolean): void {
    const { kind, symbol } = parseStream(name) ?? {}
    if (kind !== undefined && symbol !== undefined)
      this.#options.peer.subscribed?.({ channel: channelOfKind(kind), symbol }, isOn)
  }

  #admission(name: string): Admission | undefined {
    return this.#options.context.admission?.(name)
  }

  #unsubscribe(name: string): void {
    if (this.#names.delete(name)) this.#tell(name, false)
    this.#options.streams.remove(name, this)
  }

  #ping(): void {
    const { context, peer, rules } = this.#options
    if (peer.isFrozen) return
    const payload = String(Math.floor(context.clock.nowUs() / 1000))
    const deadlineMs = Math.max(SCALED_PONG_MS_MIN, rules.pongMs / context.timeScale)
    const deadline = context.clock.after(deadlineMs, () => {
      if (!peer.isFrozen) this.#violation('pong', `no pong for ping ${payload}`)
      this.end(POLICY, 'Pong timeout')
    })
    this.#pings.set(payload, deadline)
    peer.ping(payload)
  }

  /** Counts a message of the client; false if that was one too many. */
  #count(isPong = false): boolean {
    if (this.#isEnded) return false
    const { context, rules } = this.#options
    const now = context.clock.monotonicMs()
    const isLately = (timeMs: number) => now - timeMs < 1000
    this.#incoming = [...this.#incoming.filter(isLately), now]
    this.#spoken = [...this.#spoken.filter(isLately), ...(isPong ? [] : [now])]
    // The venue may ask for a pong at any time, which counts too: who leaves no room for it breaks the rule by chance.
    if (this.#spoken.length === rules.incomingPerSecondMax && context.timeScale === 1)
      this.#violation('no-room-for-pong', `${this.#spoken.length} messages in a second beside pongs`)
    if (this.#incoming.length <= rules.incomingPerSecondMax) return true
    this.#violation('messages', `more than ${rules.incomingPerSecondMax} messages in a second`)
    this.end(POLICY, 'Too many requests')
    return false
  }

  #violation(rule: string, detail: string): void {
    this.#options.context.violation(rule, detail)
  }

  #release(): void {
    this.#isEnded = true
    for (const stop of [...this.#stops, ...this.#pings.values()]) stop()
    this.#pings.clear()
    for (const name of this.#names) this.#options.streams.remove(name, this)
  }
}

/** A frame to send: an ack, or the venue's complaint. */
type Answer = { readonly result: string } | { readonly error: string }

const acknowledge = (result: unknown, id: ControlRequest['id']): Answer => ({ result: JSON.stringify({ result, id }) })

const failure = (code: number, msg: string, id?: ControlRequest['id']): Answer => ({
  error: failureText(code, msg, id),
})

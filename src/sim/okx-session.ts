import type { SimContext, SimPeer, SimSession } from './exchange.ts'
import { OKX_CHANNELS } from './okx-line.ts'
import { createQuota } from './pace.ts'
import type { Listener, Topics } from './topics.ts'

const REQUESTS_PER_HOUR_MAX = 480
const HOUR_MS = 3_600_000
const REQUEST_BYTES_MAX = 64 * 1024
const IDLE_MS = 30_000
const NOTICE_MS = 60_000
/** Unread bytes at which the venue gives up on a slow client. */
const BUFFERED_BYTES_MAX = 8 * 2 ** 20
const NOTICE = 'The connection will soon be closed for a service upgrade. Please reconnect.'
const ID_PATTERN = /^[0-9A-Za-z]{1,32}$/

/** Channels that live on `/business` only: candles of trades, mark prices and indices. */
const CANDLES = /^(mark-price-|index-)?candle/
const TICK_BY_TICK = new Set(['books-l2-tbt', 'books50-l2-tbt'])
const MORE =
  'More details can be found at: https://www.okx.com/help-center/important-notice-websocket-adjustment-for-trading-bot-copy-trading.'

interface Refusal {
  readonly code: string
  readonly msg: string
}

/** Source: https://www.okx.com/docs-v5/en/#error-code-websocket */
const REFUSALS = {
  moved: {
    code: '64001',
    msg: `This channel has been migrated to the '/business' URL. Please subscribe using the new URL. ${MORE}`,
  },
  notOnBusiness: {
    code: '64002',
    msg: `This channel is not supported by '/business' URL. Please use '/private'(for private channels), or '/public'(for public channels) to subscribe. ${MORE}`,
  },
  busy: { code: '64007', msg: 'Operation failed due to an internal error. Please try again later.' },
  unavailable: { code: '60018', msg: 'Subscribe failed, this channel is not available.' },
  fee: { code: '64003', msg: "Your trading fee tier doesn't meet the requirement to access this channel" },
} as const

/** What a session needs of its exchange. */
export interface OkxHall {
  readonly context: SimContext
  readonly topics: Topics
  welcome(listener: Listener, channel: string, symbol: string): void
  left(session: OkxSession): void
}

type Request = Readonly<Record<string, unknown>>
type Echo = { readonly id?: unknown }

const isId = (value: unknown): boolean => typeof value === 'string' && ID_PATTERN.test(value)

interface Arg {
  readonly channel: string
  readonly instId?: string
}

const isArg = (value: unknown): value is Arg => {
  if (typeof value !== 'object' || value === null) return false
  const { channel, instId } = value as Record<string, unknown>
  return typeof channel === 'string' && channel !== '' && (instId === undefined || typeof instId === 'string')
}

/** One connection. Source: https://www.okx.com/docs-v5/en/#overview-websocket */
export class OkxSession implements SimSession, Listener {
  readonly #hall: OkxHall
  readonly #peer: SimPeer
  readonly #path: 'public' | 'business'
  readonly #connId: string
  readonly #takeRequest: () => boolean
  readonly #timers = new Set<() => void>()
  #activeMs: number

  constructor(hall: OkxHall, peer: SimPeer, path: 'public' | 'business') {
    const { clock, random, timeScale } = hall.context
    this.#hall = hall
    this.#peer = peer
    this.#path = path
    this.#connId = Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
    const quota = createQuota(clock, REQUESTS_PER_HOUR_MAX, HOUR_MS / timeScale)
    this.#takeRequest = () => quota.take('')
    this.#activeMs = clock.monotonicMs()
    this.#watchIdle(IDLE_MS / timeScale)
  }

  /** Market data. */
  send(topic: Parameters<SimPeer['send']>[0], text: string): void {
    this.#touch()
    if (this.#peer.bufferedBytes() <= BUFFERED_BYTES_MAX) this.#peer.send(topic, text)
    else {
      this.#violation('slow-consumer', `${this.#peer.bufferedBytes()} bytes unread`)
      this.#hall.topics.leave(this)
      this.#peer.close(4005, 'Buffer full')
    }
  }

  text(frame: string): void {
    this.#touch()
    const bytes = Buffer.byteLength(frame)
    if (frame === 'ping') this.#peer.sendControl('pong')
    else if (bytes <= REQUEST_BYTES_MAX) this.#request(frame)
    else {
      this.#violation('request-size', `${bytes} bytes, at most ${REQUEST_BYTES_MAX}`)
      this.#peer.close(1009, 'Request message exceeds the maximum frame length')
    }
  }

  ping(): void {}
  pong(): void {}

  closed(): void {
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    this.#hall.topics.leave(this)
    this.#hall.left(this)
  }

  /** A connection that will be closed in a minute for an upgrade of the service. */
  notice(): void {
    this.#reply({ event: 'notice', code: '64008', msg: NOTICE, connId: this.#connId })
    this.#after(NOTICE_MS / this.#hall.context.timeScale, () => this.#peer.close(1001, 'Service upgrade'))
  }

  #request(frame: string): void {
    const request = parse(frame)
    const echo = isId(request.id) ? { id: request.id } : {}
    const refusal = this.#requestRefusal(frame, request)
    if (refusal) this.#error(refusal, echo)
    else for (const arg of request.args as readonly Arg[]) this.#serve(request.op as string, arg, echo)
  }

  #requestRefusal(frame: string, request: Request): Refusal | undefined {
    const invalid = { code: '60012', msg: `Invalid request: ${frame}` }
    const { id, op, args } = request
    if (typeof op !== 'string' || (id !== undefined && !isId(id)))
      return this.#violated('invalid-request', frame, invalid)
    if (!this.#takeRequest()) {
      const detail = `more than ${REQUESTS_PER_HOUR_MAX} requests in an hour on one connection`
      return this.#violated('requests-per-hour', detail, { code: '60014', msg: 'Requests too frequent' })
    }
    if (op === 'login') return { code: '60009', msg: 'Login failed.' }
    if (op !== 'subscribe' && op !== 'unsubscribe') {
      return this.#violated('invalid-op', frame, { code: '60019', msg: `Invalid op: ${op}` })
    }
    // Without `args` it is no request; with unusable `args` it is one that cannot be served.
    if (args === undefined) return this.#violated('invalid-request', frame, invalid)
    if (Array.isArray(args) && args.length > 0 && args.every(isArg)) return undefined
    return this.#violated('invalid-args', frame, { code: '60013', msg: 'Invalid args' })
  }

  #serve(op: string, arg: Arg, echo: Echo): void {
    const symbol = arg.instId ?? ''
    const name = `${arg.channel}:${symbol}`
    // What the connection holds can be given up, also when the instrument is off the list by now.
    const isLeft = op === 'unsubscribe' && this.#hall.topics.remove(name, this)
    const refusal = (op === 'subscribe' && this.#unavailable(arg)) || (!isLeft && this.#argRefusal(arg))
    if (refusal) {
      this.#error(refusal, echo)
      return
    }
    const isSilent = this.#hall.context.admission?.(name) === 'silent'
    const isNew = op === 'subscribe' && !isSilent && this.#hall.topics.add(name, this)
    this.#reply({ ...echo, event: op, arg, connId: this.#connId })
    const kind = OKX_CHANNELS[arg.channel]?.kind
    if ((isNew || isLeft) && kind !== undefined) this.#peer.subscribed?.({ channel: kind, symbol }, isNew)
    if (isNew) this.#hall.welcome(this, arg.channel, symbol)
  }

  #unavailable({ channel, instId = '' }: Arg): Refusal | undefined {
    const admission = this.#hall.context.admission?.(`${channel}:${instId}`)
    if (admission === 'busy') return REFUSALS.busy
    return admission === 'refused' ? REFUSALS.unavailable : undefined
  }

  #argRefusal({ channel, instId = '' }: Arg): Refusal | undefined {
    const isPublic = this.#path === 'public'
    const spec = OKX_CHANNELS[channel]
    if (TICK_BY_TICK.has(channel)) return isPublic ? REFUSALS.fee : REFUSALS.notOnBusiness
    if (CANDLES.test(channel) && isPublic) return REFUSALS.moved
    if (spec?.path === 'public' && !isPublic) return REFUSALS.notOnBusiness
    if (spec?.path === this.#path && this.#hall.context.market.find(instId)) return undefined
    const msg = `Subscribe failed, wrong URL or channel:${channel},instId:${instId} doesn't exist.`
    return { code: '60018', msg }
  }

  /** Observed in October 2026: the request's id comes last and no arg is echoed. */
  #error({ code, msg }: Refusal, echo: Echo): void {
    this.#reply({ event: 'error', msg, code, connId: this.#connId, ...echo })
  }

  #reply(message: object): void {
    this.#peer.sendControl(JSON.stringify(message))
  }

  #violation(rule: string, detail: string): void {
    this.#hall.context.violation(rule, detail.slice(0, 200))
  }

  #violated(rule: string, detail: string, refusal: Refusal): Refusal {
    this.#violation(rule, detail)
    return refusal
  }

  /** Data in either direction keeps the connection; the wire's own pings do not. */
  #touch(): void {
    this.#activeMs = this.#hall.context.clock.monotonicMs()
  }

  #watchIdle(idleMs: number): void {
    const leftMs = this.#activeMs + idleMs - this.#hall.context.clock.monotonicMs()
    if (leftMs > 0) this.#after(leftMs, () => this.#watchIdle(idleMs))
    else {
      this.#violation('idle', 'no data and no ping for 30 s')
      this.#peer.close(4004, 'No data received in 30s.')
    }
  }

  #after(delayMs: number, action: () => void): void {
    const cancel = this.#hall.context.clock.after(delayMs, () => {
      this.#timers.delete(cancel)
      action()
    })
    this.#timers.add(cancel)
  }
}

/** An empty request for what is no JSON object. */
function parse(frame: string): Request {
  try {
    const value: unknown = JSON.parse(frame)
    return typeof value === 'object' && value !== null ? (value as Request) : {}
  } catch {
    return {}
  }
}

/** REST requests to one venue: under its budgets, never during a ban, one host after another when connecting fails. */

import { errorText } from '../model/errors.ts'
import type { EpochUs } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import { type Instruments, MalformedError, type RestFault, type RestRequest, type Venue } from '../venues/venue.ts'
import { BAN_MS_MAX, type Bans } from './bans.ts'
import { Budget } from './budget.ts'

const REQUEST_TIMEOUT_MS = 10_000
const BODY_BYTES_MAX = 64 * 1024 * 1024
/** Requests under way at once; the others wait here, where their time does not run. */
const UNDER_WAY_MAX = 8
/** Requests that may wait; beyond this the caller is told at once. */
const QUEUE_MAX = 5_000
/** What a venue may ask us to wait, whatever it says; bans may be longer. */
const RETRY_AFTER_MS = { min: 1_000, max: 24 * 3_600_000 }

export type RestOutcome = 'ok' | RestFault['kind'] | 'malformed' | 'unreachable'

/** A request that gave no data. `kind` decides what the caller does next. */
export class RestError extends Error {
  override readonly name = 'RestError'
  readonly kind: Exclude<RestOutcome, 'ok'>

  constructor(kind: Exclude<RestOutcome, 'ok'>, message: string) {
    super(message)
    this.kind = kind
  }
}

export interface RestClientOptions {
  readonly venue: Venue
  readonly urls: readonly string[]
  readonly platform: Platform
  readonly bans: Bans
  readonly instruments: Instruments
  /** Every answer, for the metrics. */
  readonly onOutcome: (outcome: RestOutcome, durationMs: number, reason: string) => void
}

interface Waiting {
  readonly request: RestRequest<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: RestError) => void
}

export class RestClient {
  readonly #options: RestClientOptions
  readonly #budgets = new Map<string, Budget>()
  readonly #queue: Waiting[] = []
  /** A ban is on our address, so it holds for every host of the venue; it is filed under the first. */
  readonly #banKey: string
  /** A pause that a venue asks for is kept like a ban: the next process must not begin with the request too many. */
  readonly #pauseKey: string
  #underWay = 0
  #urlIndex = 0
  #cancelWake: (() => void) | undefined
  #isStopped = false
  /** An answer came by which the venue would have told what an earlier process has used. A refusal may not say. */
  #isUsageKnown = false
  /** Result of the last call; `undefined` before the first. */
  isAvailable: boolean | undefined

  constructor(options: RestClientOptions) {
    this.#options = options
    this.#banKey = `${options.venue.id} ${new URL(options.urls[0] as string).host}`
    this.#pauseKey = `${this.#banKey} pause`
    for (const [name, budget] of Object.entries(options.venue.restLimits.budgets))
      this.#budgets.set(name, new Budget(budget))
  }

  /** Errors: rejects with {@link RestError}. */
  get<Result>(request: RestRequest<Result>): Promise<Result> {
    if (this.#isStopped) return Promise.reject(new RestError('failed', 'the collector is stopping'))
    if (this.#queue.length >= QUEUE_MAX) {
      return Promise.reject(new RestError('failed', `${QUEUE_MAX} requests are waiting already`))
    }
    const promise = new Promise<unknown>((resolve, reject) => {
      this.#queue.push({ request, resolve, reject })
    })
    this.#pump()
    return promise as Promise<Result>
  }

  /** Until when the venue forbids requests. */
  get bannedUntilUs(): EpochUs | undefined {
    const leftMs = this.#options.bans.leftMs(this.#banKey)
    return leftMs === 0 ? undefined : this.#options.platform.clock.nowUs() + Math.round(leftMs * 1000)
  }

  get waiting(): number {
    return this.#queue.length
  }

  /** Weight of a budget that may be spent now and that no request waits for. */
  left(name: string): number {
    const budget = this.#budgets.get(name)
    if (budget === undefined) return 0
    const queued = this.#queue.reduce((sum, { request }) => sum + (request.budget === name ? request.weight : 0), 0)
    return Math.max(0, budget.limit - budget.used(this.#options.platform.clock.monotonicMs()) - queued)
  }

  /** Used share of each budget of the venue's own limit. */
  *usage(): Generator<readonly [budget: string, share: number]> {
    const nowMs = this.#options.platform.clock.monotonicMs()
    for (const [name, budget] of this.#budgets) {
      const limit = this.#options.venue.restLimits.budgets[name]?.limit ?? 1
      yield [name, budget.used(nowMs) / limit]
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelWake?.()
    for (const waiting of this.#queue.splice(0)) waiting.reject(new RestError('failed', 'the collector is stopping'))
  }

  get #url(): string {
    return this.#options.urls[this.#urlIndex % this.#options.urls.length] as string
  }

  get #underWayMax(): number {
    return this.#isUsageKnown ? UNDER_WAY_MAX : 1
  }

  /** Sends what fits now, oldest first; a full budget holds back its own requests only. Wakes when the next one fits. */
  #pump(): void {
    this.#cancelWake?.()
    this.#cancelWake = undefined
    const { clock } = this.#options.platform
    const full = new Set<string>()
    let wakeMs = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.#queue.length && this.#underWay < this.#underWayMax; ) {
      const waiting = this.#queue[i] as Waiting
      const { request } = waiting
      const waitMs = full.has(request.budget) ? wakeMs : this.#waitMs(request)
      if (waitMs > 0) {
        full.add(request.budget)
        wakeMs = Math.min(wakeMs, waitMs)
        i++
      } else {
        this.#queue.splice(i, 1)
        this.#launch(waiting)
      }
    }
    if (this.#queue.length > 0 && this.#underWay < this.#underWayMax)
      this.#cancelWake = clock.after(wakeMs, () => this.#pump())
  }

  #launch({ request, resolve, reject }: Waiting): void {
    const budget = this.#budgetOf(request)
    budget.spend(request.weight, this.#options.platform.clock.monotonicMs())
    budget.underWay += request.weight
    this.#underWay++
    void this.#send(request)
      .then(resolve, reject)
      .then(() => {
        budget.underWay -= request.weight
        this.#underWay--
        this.#pump()
      })
  }

  #waitMs(request: RestRequest<unknown>): number {
    const { platform, bans } = this.#options
    const heldMs = Math.max(bans.leftMs(this.#banKey), bans.leftMs(this.#pauseKey))
    if (heldMs > 0) return heldMs + 1
    return this.#budgetOf(request).waitMs(request.weight, platform.clock.monotonicMs())
  }

  #budgetOf(request: RestRequest<unknown>): Budget {
    const budget = this.#budgets.get(request.budget)
    if (budget === undefined) throw new Error(`${this.#options.venue.id} has no budget ${request.budget}`)
    return budget
  }

  async #send<Result>(request: RestRequest<Result>): Promise<Result> {
    const { platform, onOutcome } = this.#options
    const startMs = platform.clock.monotonicMs()
    try {
      const result = await this.#exchange(request)
      this.isAvailable = true
      this.#isUsageKnown = true
      onOutcome('ok', platform.clock.monotonicMs() - startMs, '')
      return result
    } catch (error) {
      const failure = error instanceof RestError ? error : new RestError('unreachable', errorText(error))
      this.isAvailable = failure.kind === 'unknown_symbol'
      onOutcome(
        failure.kind,
        platform.clock.monotonicMs() - startMs,
        `${request.path.split('?')[0]}: ${failure.message}`,
      )
      throw failure
    }
  }

  async #exchange<Result>(request: RestRequest<Result>): Promise<Result> {
    const { venue, platform, instruments } = this.#options
    const url = this.#url
    const response = await platform.http
      .get({ url: url.replace(/\/$/, '') + request.path, timeoutMs: REQUEST_TIMEOUT_MS, bodyBytesMax: BODY_BYTES_MAX })
      .catch((error: unknown) => {
        // Requests that fail together have found out the same thing once.
        if (url === this.#url) this.#urlIndex++
        throw new RestError('unreachable', `${new URL(url).host}: ${errorText(error)}`)
      })
    this.#noteUsage(response.headers)
    const body = parseBody(response.body)
    const nowUs = platform.clock.nowUs()
    const fault = venue.rest.fault(response.status, response.headers, body, nowUs)
    if (fault !== undefined) {
      const problem = await this.#obey(fault)
      throw new RestError(fault.kind, fault.reason + problem)
    }
    try {
      return request.parse(body, nowUs, instruments)
    } catch (error) {
      if (error instanceof MalformedError) throw new RestError('malformed', error.message)
      throw error
    }
  }

  /** Resolves with what could not be done, as words to add; a ban holds also when it cannot be written down. */
  async #obey(fault: RestFault): Promise<string> {
    if (fault.kind !== 'banned' && fault.kind !== 'rate_limited') return ''
    const maxMs = fault.kind === 'banned' ? BAN_MS_MAX : RETRY_AFTER_MS.max
    const waitMs = Math.min(maxMs, Math.max(RETRY_AFTER_MS.min, fault.retryAfterMs))
    const key = fault.kind === 'banned' ? this.#banKey : this.#pauseKey
    return this.#options.bans.set(key, waitMs).then(
      () => '',
      (error: unknown) => `; a restart will not know of it: ${errorText(error)}`,
    )
  }

  #noteUsage(headers: Readonly<Record<string, string>>): void {
    const used = this.#options.venue.restLimits.used?.(headers)
    const budget = used === undefined ? undefined : this.#budgets.get(used.budget)
    if (used === undefined || budget === undefined) return
    this.#isUsageKnown = true
    const { clock } = this.#options.platform
    budget.report(used.weight, dateMs(headers) ?? clock.nowUs() / 1000, clock.monotonicMs())
  }
}

/** The venue's clock, to the second and never ahead of it. */
function dateMs({ date = '' }: Readonly<Record<string, string>>): number | undefined {
  const ms = Date.parse(date)
  return Number.isNaN(ms) ? undefined : ms
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

/** Decides when a connection is to be replaced by a new one: before the venue ends it, or when someone asks. */

import { Backoff } from '../platform/backoff.ts'
import type { Random } from '../platform/platform.ts'

/** Part of the venue's lifetime after which a connection is replaced; and up to so much less, so that not all go at once. */
const LIFETIME_PART = 23 / 24
const LIFETIME_JITTER = 0.02
/** In the last part of the lifetime a handover that does not succeed in full is better than none. */
const LIFETIME_FORCED_PART = 47 / 48
/** Waits after a handover that failed: of one that can wait, and of one that the venue's notice asks for. */
const RETRY = { firstMs: 30_000, maxMs: 900_000 }
const RETRY_MS_MIN = 30_000
const ANNOUNCED_RETRY = { firstMs: 1_000, maxMs: 30_000 }

interface Wish {
  readonly reason: string
  readonly isAnnounced: boolean
  dueMs: number
}

export class Rotation {
  readonly #lifetimeMs: number
  readonly #random: Random
  readonly #retry: Backoff
  /** Counts what was begun after notices, so that a venue which sends one with each socket is not rotated without end. */
  readonly #announced: Backoff
  #wish: Wish | undefined
  #lifetimeDueMs = Number.POSITIVE_INFINITY
  #forcedFromMs = Number.POSITIVE_INFINITY

  /** `lifetimeMs`: the venue ends a connection after so long; infinite where it does not. */
  constructor(lifetimeMs: number, random: Random) {
    this.#lifetimeMs = lifetimeMs
    this.#random = random
    this.#retry = new Backoff({ ...RETRY, random })
    this.#announced = new Backoff({ ...ANNOUNCED_RETRY, random })
  }

  /** A new link delivers from now on; it opened `openedMs`. */
  replaced(openedMs: number): void {
    this.#wish = undefined
    this.#retry.reset()
    this.#lifetimeDueMs = openedMs + this.#lifetimeMs * (LIFETIME_PART - LIFETIME_JITTER * this.#random())
    this.#forcedFromMs = openedMs + this.#lifetimeMs * LIFETIME_FORCED_PART
  }

  /** The link has carried data for a while: the next notice is acted on at once. */
  steady(): void {
    this.#announced.reset()
  }

  /** The venue will end the link. */
  announced(reason: string, nowMs: number): void {
    if (this.#wish?.isAnnounced === true) return
    const isFirst = this.#announced.attempts === 0
    const waitMs = this.#announced.nextMs()
    this.#wish = { reason, isAnnounced: true, dueMs: nowMs + (isFirst ? 0 : waitMs) }
  }

  /** Someone asks for a new link; it can wait, and asking again does not bring it forward. */
  wanted(reason: string, nowMs: number): void {
    if (this.#wish?.isAnnounced === true || this.#wish?.reason === reason) return
    this.#wish = { reason, isAnnounced: false, dueMs: nowMs }
  }

  /** The handover did not come about; the link goes on. */
  failed(nowMs: number): void {
    if (this.#wish === undefined) return
    const { isAnnounced } = this.#wish
    this.#wish.dueMs = nowMs + (isAnnounced ? this.#announced.nextMs() : RETRY_MS_MIN + this.#retry.nextMs())
  }

  /** Why the link is to be replaced now; `undefined`: it is not. */
  due(nowMs: number): string | undefined {
    if (this.#wish === undefined && nowMs >= this.#lifetimeDueMs) this.wanted('lifetime', nowMs)
    return this.#wish !== undefined && nowMs >= this.#wish.dueMs ? this.#wish.reason : undefined
  }

  /** The venue ends the link soon: what cannot be saved is better lost now than all of it then. */
  isForced(nowMs: number): boolean {
    return this.#wish?.isAnnounced === true || nowMs >= this.#forcedFromMs
  }
}

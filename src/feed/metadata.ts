/** The venue's list of instruments: fetched at the start, refreshed, compared with what is configured. */

import type { EpochUs, Instrument } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import { Backoff } from './backoff.ts'
import { type RestClient, RestError } from './rest-client.ts'

const REFRESH_MS = 600_000
const RETRY = { firstMs: 5_000, maxMs: 120_000 }
/** Collecting starts without metadata when it has not come by then. */
const START_WAIT_MS = 10_000

export interface MetadataHandlers {
  /** New or changed, and configured. */
  instrument(instrument: Instrument, receiveTimeUs: EpochUs): void
  /** Configured symbols that the venue does not list. Told once for each symbol. */
  unknown(symbols: readonly string[]): void
  /** A symbol that was listed and is no more. */
  delisted(symbol: string): void
  /** Symbols that were unknown or delisted are listed. */
  listed(symbols: readonly string[]): void
  failed(reason: string): void
}

export class Metadata {
  readonly #venue: Venue
  readonly #symbols: readonly string[]
  readonly #rest: RestClient
  readonly #platform: Platform
  readonly #instruments: Map<string, Instrument>
  readonly #handlers: MetadataHandlers
  readonly #backoff: Backoff
  readonly #told = new Set<string>()
  #cancel: (() => void) | undefined
  #endWait: (() => void) | undefined
  #isStopped = false

  constructor(
    venue: Venue,
    symbols: readonly string[],
    rest: RestClient,
    platform: Platform,
    instruments: Map<string, Instrument>,
    handlers: MetadataHandlers,
  ) {
    this.#venue = venue
    this.#symbols = symbols
    this.#rest = rest
    this.#platform = platform
    this.#instruments = instruments
    this.#handlers = handlers
    this.#backoff = new Backoff({ ...RETRY, random: platform.random })
  }

  /** Resolves when the list is there, or has failed, or takes too long; it is tried again by itself. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#platform.clock.after(START_WAIT_MS, resolve)
      this.#endWait = () => {
        cancel()
        resolve()
      }
      void this.#refresh().then(this.#endWait)
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
    this.#endWait?.()
  }

  /** Never rejects. */
  async #refresh(): Promise<void> {
    const requests = this.#venue.rest.instruments(this.#symbols)
    const answers = await Promise.allSettled(requests.map((request) => this.#rest.get(request)))
    if (this.#isStopped) return
    const listed = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    const problem = answers.flatMap(problemOf)[0] ?? (listed.length === 0 ? 'the list of instruments is empty' : '')
    this.#take(listed, problem === '')
    if (problem === '') this.#backoff.reset()
    else this.#handlers.failed(problem)
    const delayMs = problem === '' ? REFRESH_MS : this.#backoff.nextMs() + 1_000
    this.#cancel = this.#platform.clock.after(delayMs, () => void this.#refresh())
  }

  /** What an incomplete list lacks may be listed all the same. */
  #take(listed: readonly Instrument[], isComplete: boolean): void {
    const receiveTimeUs = this.#platform.clock.nowUs()
    const bySymbol = new Map(listed.map((instrument) => [instrument.symbol, instrument]))
    const missing: string[] = []
    const back: string[] = []
    for (const symbol of this.#symbols) {
      const instrument = bySymbol.get(symbol)
      const known = this.#instruments.get(symbol)
      if (instrument === undefined) {
        if (!isComplete) continue
        if (known !== undefined) this.#handlers.delisted(symbol)
        else if (!this.#told.has(symbol)) missing.push(symbol)
        this.#told.add(symbol)
        this.#instruments.delete(symbol)
      } else if (known?.id !== instrument.id) {
        const event = { ...instrument, receive_time_us: receiveTimeUs }
        this.#instruments.set(symbol, event)
        this.#handlers.instrument(event, receiveTimeUs)
        if (this.#told.delete(symbol)) back.push(symbol)
      }
    }
    if (missing.length > 0) this.#handlers.unknown(missing)
    if (back.length > 0) this.#handlers.listed(back)
  }
}

/** Errors: throws what is no answer of the venue. */
function problemOf(answer: PromiseSettledResult<unknown>): string[] {
  if (answer.status === 'fulfilled') return []
  if (!(answer.reason instanceof RestError)) throw answer.reason
  return [answer.reason.message]
}

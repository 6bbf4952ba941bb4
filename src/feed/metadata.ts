/** The venue's list of instruments: fetched at the start, refreshed, compared with what is wanted. */

import type { EpochUs, Instrument } from '../model/event.ts'
import { Backoff } from '../platform/backoff.ts'
import type { Platform } from '../platform/platform.ts'
import type { RestRequest, Venue } from '../venues/venue.ts'
import { type RestClient, RestError } from './rest-client.ts'

export const METADATA_REFRESH_MS = 600_000
const RETRY = { firstMs: 5_000, maxMs: 120_000 }
/** Collecting starts without metadata when it has not come by then. */
const WAIT_MS = 10_000
/** Lists that are kept until the next refresh; what a client asks about cannot make them more. */
const LISTS_MAX = 64

export interface MetadataHandlers {
  /** New or changed, and wanted. */
  instrument(instrument: Instrument, receiveTimeUs: EpochUs): void
  /** Wanted symbols that the venue does not list. Told once for each symbol. */
  unknown(symbols: readonly string[]): void
  /** A symbol that was listed and is no more. */
  delisted(symbol: string): void
  /** Wanted symbols that the venue lists, told with each new list. */
  listed(symbols: readonly string[]): void
  failed(reason: string): void
}

type List = ReadonlyMap<string, Instrument>

export class Metadata {
  readonly #venue: Venue
  readonly #symbols: Set<string>
  readonly #rest: RestClient
  readonly #platform: Platform
  readonly #instruments: Map<string, Instrument>
  readonly #handlers: MetadataHandlers
  readonly #backoff: Backoff
  readonly #told = new Set<string>()
  /** The newest answer to each request, by its path. */
  readonly #lists = new Map<string, List>()
  readonly #fetching = new Map<string, Promise<string | undefined>>()
  readonly #endWaits = new Set<() => void>()
  #cancel: (() => void) | undefined
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
    this.#symbols = new Set(symbols)
    this.#rest = rest
    this.#platform = platform
    this.#instruments = instruments
    this.#handlers = handlers
    this.#backoff = new Backoff({ ...RETRY, random: platform.random })
  }

  /** Resolves when the list is there, or has failed, or takes too long; it is tried again by itself. */
  async start(): Promise<void> {
    await this.#within(this.#refresh())
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
    for (const endWait of this.#endWaits) endWait()
  }

  /** These are wanted too. Resolves when their lists are there, or have failed, or take too long. */
  async add(symbols: readonly string[]): Promise<void> {
    for (const symbol of symbols) this.#symbols.add(symbol)
    await this.lookUp(symbols)
    if (!this.#isStopped) this.#take(symbols)
  }

  /** These are not wanted any more. */
  remove(symbols: readonly string[]): void {
    for (const symbol of symbols) {
      this.#symbols.delete(symbol)
      this.#told.delete(symbol)
      this.#instruments.delete(symbol)
    }
  }

  /** Fetches the lists that name these symbols, where they are not there. Resolves after 10 s at the latest. */
  async lookUp(symbols: readonly string[]): Promise<void> {
    if (this.#isStopped || this.#rest.bannedUntilUs !== undefined) return
    const missing = this.#requests(symbols).filter(({ path }) => !this.#lists.has(path))
    const asked = missing.slice(0, Math.max(0, LISTS_MAX - this.#lists.size))
    if (asked.length > 0) await this.#within(Promise.all(asked.map((request) => this.#fetch(request))))
  }

  /** Does the venue list the symbol? `undefined`: the list that would name it is not there. */
  isListed(symbol: string): boolean | undefined {
    const lists = this.#listsOf(symbol)
    if (lists.some((list) => list?.has(symbol))) return true
    return lists.includes(undefined) ? undefined : false
  }

  #requests(symbols: Iterable<string>): readonly RestRequest<readonly Instrument[]>[] {
    return this.#venue.rest.instruments([...symbols])
  }

  #listsOf(symbol: string): (List | undefined)[] {
    return this.#requests([symbol]).map(({ path }) => this.#lists.get(path))
  }

  /** Waits, but not for ever. */
  async #within(work: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#platform.clock.after(WAIT_MS, () => end())
      const end = () => {
        cancel()
        this.#endWaits.delete(end)
        resolve()
      }
      this.#endWaits.add(end)
      void work.then(end)
    })
  }

  /** Never rejects. */
  async #refresh(): Promise<void> {
    const requests = this.#requests(this.#symbols)
    const problems = await Promise.all(requests.map((request) => this.#fetch(request)))
    if (this.#isStopped) return
    const paths = new Set(requests.map(({ path }) => path))
    for (const path of this.#lists.keys()) if (!paths.has(path)) this.#lists.delete(path)
    // A list that did not come says nothing new of its symbols.
    const isNew = new Set(requests.flatMap(({ path }, index) => (problems[index] === undefined ? path : [])))
    this.#take([...this.#symbols].filter((symbol) => this.#requests([symbol]).some(({ path }) => isNew.has(path))))
    const problem = problems.find((each) => each !== undefined)
    if (problem === undefined) this.#backoff.reset()
    else this.#handlers.failed(problem)
    const delayMs = problem === undefined ? METADATA_REFRESH_MS : this.#backoff.nextMs() + 1_000
    this.#cancel = this.#platform.clock.after(delayMs, () => void this.#refresh())
  }

  /** Resolves with what went wrong, in words. A request that is under way is not made twice. */
  #fetch(request: RestRequest<readonly Instrument[]>): Promise<string | undefined> {
    const known = this.#fetching.get(request.path)
    if (known !== undefined) return known
    const fetching = this.#ask(request).finally(() => this.#fetching.delete(request.path))
    this.#fetching.set(request.path, fetching)
    return fetching
  }

  async #ask(request: RestRequest<readonly Instrument[]>): Promise<string | undefined> {
    try {
      const listed = await this.#rest.get(request)
      if (listed.length === 0 && !this.#hasOthers(request.path)) return 'the list of instruments is empty'
      this.#lists.set(request.path, new Map(listed.map((instrument) => [instrument.symbol, instrument])))
      return undefined
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      return error.message
    }
  }

  /** A venue that lists nothing at all has a problem of its own. */
  #hasOthers(path: string): boolean {
    return [...this.#lists].some(([other, list]) => other !== path && list.size > 0)
  }

  /** What the lists say of these symbols. A list that is not there says nothing. */
  #take(symbols: Iterable<string>): void {
    const receiveTimeUs = this.#platform.clock.nowUs()
    const missing: string[] = []
    const listed: string[] = []
    for (const symbol of symbols) {
      if (!this.#symbols.has(symbol)) continue
      const instrument = this.#listsOf(symbol).flatMap((list) => list?.get(symbol) ?? [])[0]
      const known = this.#instruments.get(symbol)
      if (instrument === undefined) {
        if (this.isListed(symbol) === undefined) continue
        if (known !== undefined) this.#handlers.delisted(symbol)
        else if (!this.#told.has(symbol)) missing.push(symbol)
        this.#told.add(symbol)
        this.#instruments.delete(symbol)
        continue
      }
      this.#told.delete(symbol)
      listed.push(symbol)
      if (known?.id === instrument.id) continue
      const event = { ...instrument, receive_time_us: receiveTimeUs }
      this.#instruments.set(symbol, event)
      this.#handlers.instrument(event, receiveTimeUs)
    }
    if (missing.length > 0) this.#handlers.unknown(missing)
    if (listed.length > 0) this.#handlers.listed(listed)
  }
}

/** What the judges share: each stream, the connections that carry it, and its outages. */

import type { EpochUs, MarketEvent } from '../model/event.ts'
import { Deliveries, type Delivery } from './oracle-numbers.ts'
import { newOutage, newStream, type Outage, type Stream } from './oracle-stream.ts'
import type { StreamKey, TraceEntry } from './trace.ts'

export type { Outage, Stream } from './oracle-stream.ts'

type Entry<Kind extends TraceEntry['kind']> = Extract<TraceEntry, { kind: Kind }>

/** So many frames lost in a row, over so long, cannot be overlooked. */
export interface Silence {
  readonly frames: number
  readonly us: number
}

/** A gap that could have ended so shortly before the next began may go on. */
const MERGED_US = 1_000_000

/** Words of faults that forge a frame. */
const FORGED = /^book-(crossed|ghost)$/

/** A copy of a frame, which the trace does not have, may come so long behind it. */
const COPY_US = 100_000

interface Connection {
  /** Streams that it carries, or was asked to. */
  readonly streams: Set<Stream>
  /** When a frame of any of them was delivered. */
  deliveredUs: EpochUs
}

export class Streams {
  nowUs: EpochUs = 0
  /** What the machine's clock says, which may be an earlier time. */
  clockUs: EpochUs = 0
  /** Number of the current trace entry. */
  index = 0
  /** When each was; how many there were. */
  readonly killsUs: EpochUs[] = []
  get kills(): number {
    return this.killsUs.length
  }
  /** How often the process started. */
  runs = 0
  /** When the process last ended; `undefined`: it never did. */
  endedUs: EpochUs | undefined
  readonly #silence: Silence
  /** How far back from its end a process may have told the disk nothing. */
  readonly #processUs: number
  readonly #streams = new Map<string, Stream>()
  readonly #connections = new Map<string, Connection>()

  constructor({ silence, processUs }: { readonly silence: Silence; readonly processUs: number }) {
    this.#silence = silence
    this.#processUs = processUs
  }

  all(): Iterable<Stream> {
    return this.#streams.values()
  }

  of({ venue, channel, symbol }: StreamKey): Stream {
    const key = `${venue}:${channel}:${symbol}`
    const known = this.#streams.get(key)
    if (known !== undefined) return known
    const stream = newStream({ venue, channel, symbol })
    this.#streams.set(key, stream)
    return stream
  }

  delivered(stream: Stream, id: number, atUs: EpochUs): void {
    if (stream.deliveredUs !== atUs) stream.previousUs = stream.deliveredUs
    stream.deliveredUs = atUs
    const connection = this.#connection(stream, id)
    connection.deliveredUs = atUs
    if (!stream.carriers.has(id)) {
      stream.carriers.add(id)
      this.#listen(stream, id)
    }
    if (stream.outage !== undefined) this.#endOutage(stream, stream.outage, atUs)
    if (stream.waiting.length > 0) for (const record of stream.waiting.splice(0)) record.resumedUs ??= atUs
  }

  /** When anything was last delivered on a connection that the stream was asked for on. */
  heardUs({ venue, subscribed }: Stream): EpochUs {
    return Math.max(0, ...[...subscribed].map((id) => this.#connections.get(`${venue} ${id}`)?.deliveredUs ?? 0))
  }

  /** A forged frame comes in place of one that is lost. */
  fault({ fault, venue, channel, symbol, atUs }: Entry<'fault'>): void {
    if (!FORGED.test(fault) || venue === undefined || channel === undefined || symbol === undefined) return
    const stream = this.of({ venue, channel, symbol })
    for (const id of stream.subscribed) this.#connection(stream, id).deliveredUs = atUs
  }

  lost(stream: Stream, connection: number, atUs: EpochUs): void {
    this.#stopCarrying(stream, connection, atUs)
    if (stream.outage === undefined) return
    stream.outage.lostFrames++
    stream.outage.lostUs = atUs
  }

  renumbered(stream: Stream, venueUs: EpochUs): void {
    for (const delivery of stream.deliveries.recent()) if (!this.isForgotten(delivery)) stream.past.ids.add(delivery.id)
    stream.past.untilUs = venueUs
    stream.deliveries = new Deliveries()
  }

  /** It left in the last moments before a kill, so no later process knows of it. */
  isForgotten({ kills, atUs }: Delivery): boolean {
    const endedUs = this.killsUs[kills]
    return endedUs !== undefined && endedUs - atUs <= this.#processUs
  }

  subscribed(stream: Stream, connection: number): void {
    for (const given of stream.given) stream.subscribed.delete(given)
    stream.given.clear()
    if (stream.carriers.size > 0) stream.carriers.add(connection)
    this.#listen(stream, connection)
  }

  unsubscribed(stream: Stream, connection: number): void {
    if (stream.subscribed.has(connection)) stream.given.add(connection)
  }

  connection({ venue, connection: id, state, atUs }: Entry<'connection'>): void {
    if (state !== 'closed' && state !== 'frozen') return
    const key = `${venue} ${id}`
    const connection = this.#connections.get(key)
    if (connection === undefined) return
    for (const stream of connection.streams) {
      this.#stopCarrying(stream, id, atUs)
      if (state === 'frozen') continue
      resumeLater(stream, stream.subscribed.size > 1 ? 0 : atUs - MERGED_US)
      stream.subscribed.delete(id)
      if (stream.outage !== undefined && stream.subscribed.size === 0)
        this.#makeCertain(stream.outage, connection.deliveredUs, atUs)
    }
    if (state === 'closed') this.#connections.delete(key)
  }

  process({ state, atUs }: Entry<'process'>): void {
    if (state === 'started') {
      this.runs++
      return
    }
    this.endedUs = atUs
    for (const stream of this.all()) this.#endProcess(stream, atUs)
    this.#connections.clear()
    if (state === 'killed') this.killsUs.push(atUs)
  }

  #connection({ venue }: Stream, id: number): Connection {
    const key = `${venue} ${id}`
    const known = this.#connections.get(key)
    if (known !== undefined) return known
    const connection = { streams: new Set<Stream>(), deliveredUs: 0 }
    this.#connections.set(key, connection)
    return connection
  }

  #listen(stream: Stream, id: number): void {
    stream.subscribed.add(id)
    stream.connections.add(id)
    this.#connection(stream, id).streams.add(stream)
  }

  #stopCarrying(stream: Stream, connection: number, atUs: EpochUs): void {
    const { carriers, deliveredUs: beforeUs } = stream
    if (!carriers.delete(connection) || carriers.size > 0 || beforeUs === undefined) return
    stream.outage ??= newOutage(atUs, beforeUs, false)
  }

  #endOutage(stream: Stream, outage: Outage, atUs: EpochUs): void {
    outage.untilUs = atUs
    stream.outage = undefined
    stream.lastOutage = outage
    if (this.#isLong(outage)) outage.isCertain = true
    if (outage.isCertain) stream.outages.push(outage)
    for (const record of stream.open) if (record.outage === outage) record.resumedUs ??= atUs
  }

  /**
   * The connection ended, after it had delivered frames of other streams until `deliveredUs`. Single frames that were
   * lost before that cannot have been noticed; what was on its way when it ended came behind them.
   */
  #makeCertain(outage: Outage, deliveredUs: EpochUs, atUs: EpochUs): void {
    if (outage.isCertain) return
    if (!this.#isLong(outage)) outage.fromUs = Math.max(outage.fromUs, Math.min(atUs, deliveredUs + COPY_US))
    outage.isCertain = true
    outage.certainUs = atUs
  }

  #isLong({ lostFrames, lostUs, fromUs }: Outage): boolean {
    return lostFrames >= this.#silence.frames && lostUs - fromUs > this.#silence.us
  }

  /** An outage that nobody had to notice before the process ended goes on as that of the process. */
  #endProcess(stream: Stream, atUs: EpochUs): void {
    const { outage, deliveredUs: beforeUs } = stream
    stream.carriers.clear()
    stream.subscribed.clear()
    stream.liveUs = undefined
    const isOlder = outage?.isCertain === true && outage.certainUs < atUs
    if (beforeUs !== undefined && !isOlder) {
      const next = newOutage(atUs, beforeUs, true)
      stream.outage = next
      for (const record of stream.open) if (record.outage === outage) record.outage = next
    }
  }
}

/**
 * What one of several connections had brought may have waited for another, and is gone with it: the next frame counts. So it
 * does where the only one brought nothing before `sinceUs`.
 */
function resumeLater({ open, waiting }: Stream, sinceUs: EpochUs): void {
  for (const record of open) {
    if (record.resumedUs === undefined || record.resumedUs <= sinceUs) continue
    record.resumedUs = undefined
    waiting.push(record)
  }
}

export const nameOf = ({ venue, channel, symbol }: StreamKey): string => `${venue}:${channel}:${symbol}`

/** Events that carry the data of a stream. */
export type DataEvent = Extract<MarketEvent, { type: 'trade' | 'ticker' | 'quote' | 'book_snapshot' | 'book_delta' }>

/** How each venue writes what it publishes, from its documentation alone. */

import type { BookState, Kind, Message, Stream } from './market.ts'
import { binance } from './wire-binance.ts'
import { deribit } from './wire-deribit.ts'
import { okx } from './wire-okx.ts'

/** A past that REST shows: what was there until `untilUs`, and of trades the newest `keep`. */
export interface Memory {
  readonly untilUs: number
  readonly keep: number
}

export interface Wire {
  readonly venue: string
  /** Path of each WebSocket, and what it carries. */
  readonly sockets: Readonly<Record<string, readonly Kind[]>>
  topic(kind: Kind, symbol: string): string
  encode(stream: Stream, message: Message): string
  /** The book as the stream begins with it; absent where it has to be fetched. */
  snapshot?(stream: Stream, state: BookState): string
  /** Answers to a frame of the client. `join` and `leave` say which topics the venue knows. */
  heard(text: string, session: Session): void
  /** The body of an answer; `undefined`: no such path. */
  rest(
    url: URL,
    find: (kind: Kind, symbol: string) => Stream | undefined,
    all: readonly Stream[],
    memory: Memory,
  ): unknown
}

export interface Session {
  send(text: string): void
  /** False: no such topic. */
  join(topic: string): boolean
  leave(topic: string): void
}

export const WIRES: Readonly<Record<string, Wire>> = {
  binance: binance('binance'),
  'binance-usdm': binance('binance-usdm'),
  okx,
  deribit,
}

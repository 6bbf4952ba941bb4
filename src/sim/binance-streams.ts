/** Stream names of Binance, and who listens to which. */

/** Milliseconds as the connection wants them: as they are, or as microseconds. */
export type TimeUnit = (timeMs: number) => number

/** A payload, written for a connection's unit of time. */
export type Render = (time: TimeUnit) => string

export interface StreamListener {
  readonly isMicroseconds: boolean
  /** A payload, in the form of the connection. */
  deliver(stream: string, topic: StreamTopic, payload: string): void
  /** A whole frame, as it was recorded. */
  relay(topic: StreamTopic, frame: string): void
  bufferedBytes(): number
}

export interface StreamTopic {
  readonly channel: string
  readonly symbol: string
}

/** `btcusdt@depth@100ms` is symbol `BTCUSDT`, kind `depth`, speed `100ms`. */
export interface StreamName {
  readonly symbol: string
  readonly kind: string
  readonly speed: string
}

/** Names are lower case; an upper-case symbol is a stream that does not exist. */
export function parseStream(name: string): StreamName | undefined {
  const [symbol = '', kind = '', speed = ''] = name.split('@')
  if (symbol === '' || kind === '' || symbol !== symbol.toLowerCase()) return undefined
  return { symbol: symbol.toUpperCase(), kind, speed }
}

const CHANNELS: Readonly<Record<string, string>> = {
  trade: 'trade',
  aggTrade: 'trade',
  ticker: 'ticker',
  miniTicker: 'ticker',
  bookTicker: 'quote',
  depth: 'book',
}

/** The simulators' common word for a stream's data; the venue's own where there is none. */
export const channelOfKind = (kind: string): string => CHANNELS[kind] ?? kind

/** Everyone who listens to the streams of one venue. */
export interface Streams {
  has(name: string): boolean
  add(name: string, listener: StreamListener): void
  remove(name: string, listener: StreamListener): void
  /** Writes the payload once for each unit of time that someone wants. */
  publish(name: string, topic: StreamTopic, render: Render): void
}

export function createStreams(): Streams {
  const rooms = new Map<string, Set<StreamListener>>()
  return {
    has: (name) => rooms.has(name),
    add(name, listener) {
      const room = rooms.get(name)
      if (room) room.add(listener)
      else rooms.set(name, new Set([listener]))
    },
    remove(name, listener) {
      const room = rooms.get(name)
      room?.delete(listener)
      if (room?.size === 0) rooms.delete(name)
    },
    publish(name, topic, render) {
      const room = rooms.get(name)
      if (!room) return
      const written = new Map<TimeUnit, string>()
      for (const listener of room) {
        const unit = listener.isMicroseconds ? toMicroseconds : asItIs
        const payload = written.get(unit) ?? render(unit)
        written.set(unit, payload)
        listener.deliver(name, topic, payload)
      }
    },
  }
}

const asItIs: TimeUnit = (timeMs) => timeMs
/** The microseconds are invented, but the same for the same millisecond. */
const toMicroseconds: TimeUnit = (timeMs) => timeMs * 1000 + ((timeMs * 7919) % 1000)

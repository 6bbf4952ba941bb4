import type { Clock } from '../platform/platform.ts'
import type { Capture, RecordedFrame } from './capture.ts'
import type { SimPeer } from './exchange.ts'
import type { ReplayTopic } from './replay-topics.ts'

export interface ReplayOptions {
  readonly clock: Clock
  readonly capture: Capture
  /** 1 is real time; `max`: as fast as the clients read. */
  readonly speed?: number | 'max'
  /** The replay starts when no subscription has come for so long. */
  readonly startQuietMs?: number
  /** Begins again after the last frame. Sequences break there, as after an outage. */
  readonly isLoop?: boolean
}

/** Who gets the frames of a topic. */
export interface ReplayListener {
  relay(topic: Parameters<SimPeer['send']>[0], frame: string): void
  bufferedBytes(): number
}

export interface TopicCount {
  readonly venue: string
  readonly kind: string
  readonly symbol: string
  readonly name: string
  readonly recorded: number
  readonly delivered: number
}

export interface ReplayState {
  readonly phase: 'waiting' | 'running' | 'done'
  readonly done: boolean
  /** Of the replay clock, in ms since the first frame. */
  readonly position_ms: number
  readonly frames: number
  /** Frames that at least one connection got. */
  readonly delivered: number
  /** Frames that came while nobody was subscribed to them. */
  readonly not_delivered: number
  readonly topics: readonly TopicCount[]
}

/** Plays a recording to whoever subscribed, each frame once and in order. */
export interface Replay {
  readonly capture: Capture
  /** False: the recording has nothing of this kind for the symbol. The replay starts some time after the last call. */
  subscribe(venue: string, topic: ReplayTopic, listener: ReplayListener): boolean
  unsubscribe(venue: string, topic: ReplayTopic, listener: ReplayListener): void
  /** Of the replay clock; -Infinity before the start, Infinity after the end. */
  positionMs(): number
  /** How many frames, counted from the first, have been played. */
  playedCount(): number
  /** Called when a loop begins again. */
  onRestart(listener: () => void): void
  state(): ReplayState
  stop(): void
}

const START_QUIET_MS = 1500
/** Frames before the event loop gets a turn. */
const BATCH_MAX = 200
/** Unread bytes of one connection at which `max` waits for its client. */
const BUFFERED_BYTES_MAX = 256 * 1024

interface Room {
  readonly venue: string
  readonly topic: ReplayTopic
  readonly listeners: Set<ReplayListener>
  recorded: number
  delivered: number
}

export function createReplay(options: ReplayOptions): Replay {
  return new CaptureReplay(options)
}

class CaptureReplay implements Replay {
  readonly capture: Capture
  readonly #clock: Clock
  readonly #speed: number | 'max'
  readonly #startQuietMs: number
  readonly #isLoop: boolean
  /** By venue and recorded name. */
  readonly #rooms = new Map<string, Room>()
  /** By venue, kind and symbol: the first recorded variant. */
  readonly #variants = new Map<string, Room>()
  readonly #restartListeners: (() => void)[] = []
  #cancel: (() => void) | undefined
  #phase: ReplayState['phase'] = 'waiting'
  #startedMs = 0
  #next = 0
  #delivered = 0
  #notDelivered = 0

  constructor({ clock, capture, speed = 1, startQuietMs = START_QUIET_MS, isLoop = false }: ReplayOptions) {
    this.capture = capture
    this.#clock = clock
    this.#speed = speed
    this.#startQuietMs = startQuietMs
    this.#isLoop = isLoop
    for (const { venue, topic } of capture.frames) {
      const key = `${venue} ${topic.name}`
      const room = this.#rooms.get(key) ?? { venue, topic, listeners: new Set(), recorded: 0, delivered: 0 }
      room.recorded++
      this.#rooms.set(key, room)
      const variant = `${venue} ${topic.kind} ${topic.symbol}`
      if (!this.#variants.has(variant)) this.#variants.set(variant, room)
    }
  }

  subscribe(venue: string, topic: ReplayTopic, listener: ReplayListener): boolean {
    if (this.#phase === 'waiting') {
      this.#cancel?.()
      this.#cancel = this.#clock.after(this.#startQuietMs, () => this.#start())
    }
    const room = this.#roomOf(venue, topic)
    room?.listeners.add(listener)
    return room !== undefined
  }

  unsubscribe(venue: string, topic: ReplayTopic, listener: ReplayListener): void {
    this.#roomOf(venue, topic)?.listeners.delete(listener)
  }

  positionMs(): number {
    if (this.#phase === 'waiting') return Number.NEGATIVE_INFINITY
    if (this.#phase === 'done') return Number.POSITIVE_INFINITY
    if (this.#speed === 'max') return this.capture.frames[this.#next - 1]?.atMs ?? 0
    return (this.#clock.monotonicMs() - this.#startedMs) * this.#speed
  }

  playedCount(): number {
    return this.#next
  }

  onRestart(listener: () => void): void {
    this.#restartListeners.push(listener)
  }

  state(): ReplayState {
    const { frames } = this.capture
    const position = this.positionMs()
    return {
      phase: this.#phase,
      done: this.#phase === 'done',
      position_ms: Number.isFinite(position) ? Math.floor(position) : (frames[this.#next - 1]?.atMs ?? 0),
      frames: frames.length,
      delivered: this.#delivered,
      not_delivered: this.#notDelivered,
      topics: [...this.#rooms.values()].map(({ venue, topic, recorded, delivered }) => ({
        venue,
        kind: topic.kind,
        symbol: topic.symbol,
        name: topic.name,
        recorded,
        delivered,
      })),
    }
  }

  stop(): void {
    this.#cancel?.()
  }

  /** The exact stream if it was recorded, else a variant of its kind. */
  #roomOf(venue: string, { name, kind, symbol }: ReplayTopic): Room | undefined {
    return this.#rooms.get(`${venue} ${name}`) ?? this.#variants.get(`${venue} ${kind} ${symbol}`)
  }

  #start(): void {
    this.#phase = 'running'
    this.#next = 0
    this.#startedMs = this.#clock.monotonicMs()
    this.#pump()
  }

  #pump(): void {
    const { frames } = this.capture
    const positionMs = this.#speed === 'max' ? Number.POSITIVE_INFINITY : this.positionMs()
    for (let count = 0; count < BATCH_MAX; count++) {
      const frame = frames[this.#next]
      if (!frame || frame.atMs > positionMs || (this.#speed === 'max' && this.#isSlow(frame))) break
      this.#next++
      this.#deliver(frame)
    }
    if (this.#next === frames.length) this.#end()
    else this.#cancel = this.#clock.after(this.#pauseMs(), () => this.#pump())
  }

  /** Until the next frame is due; in `max` only as long as the event loop needs to send. */
  #pauseMs(): number {
    const next = this.capture.frames[this.#next]
    if (this.#speed === 'max' || !next) return 0
    return Math.max(0, (next.atMs - this.positionMs()) / this.#speed)
  }

  #isSlow({ venue, topic }: RecordedFrame): boolean {
    for (const listener of this.#rooms.get(`${venue} ${topic.name}`)?.listeners ?? []) {
      if (listener.bufferedBytes() > BUFFERED_BYTES_MAX) return true
    }
    return false
  }

  #deliver({ venue, topic, text }: RecordedFrame): void {
    const room = this.#rooms.get(`${venue} ${topic.name}`)
    if (!room || room.listeners.size === 0) {
      this.#notDelivered++
      return
    }
    this.#delivered++
    room.delivered++
    for (const listener of room.listeners) listener.relay({ channel: topic.kind, symbol: topic.symbol }, text)
  }

  #end(): void {
    if (!this.#isLoop) {
      this.#phase = 'done'
      return
    }
    for (const listener of this.#restartListeners) listener()
    this.#cancel = this.#clock.after(this.#startQuietMs, () => this.#start())
  }
}

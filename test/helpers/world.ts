/** A platform that stands still until it is told to move: time, sockets, HTTP and files in memory. */

import type {
  Clock,
  Files,
  Http,
  HttpRequest,
  HttpResponse,
  Net,
  Platform,
  Socket,
  SocketHandlers,
} from '../../src/platform/platform.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { VirtualDisk } from '../../src/sim/virtual/disk.ts'
import { Scope, VirtualLoop } from '../../src/sim/virtual/loop.ts'
import { VirtualProcesses } from '../../src/sim/virtual/processes.ts'

/** 2026-11-23T00:00:00Z, the start of a minute. */
const START_US = 1_795_392_000_000_000

export interface WorldClock extends Clock {
  /** Timers that have not fired and were not cancelled. */
  readonly pending: number
  /** Moves on by `ms`; promises that wait settle after each timer. */
  advance(ms: number): Promise<void>
  /** The process gets no time for so long: what was due fires when it is told to move on. */
  stall(ms: number): void
}

interface Timer {
  dueMs: number
  readonly everyMs: number | undefined
  readonly action: () => void
}

/** Lets everything that is ready run: promise chains of any length. */
export const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

function worldClock(): WorldClock {
  const timers = new Set<Timer>()
  let nowMs = 0
  const add = (delayMs: number, everyMs: number | undefined, action: () => void) => {
    const timer = { dueMs: nowMs + Math.max(0, delayMs), everyMs, action }
    timers.add(timer)
    return () => void timers.delete(timer)
  }
  return {
    get pending() {
      return timers.size
    },
    nowUs: () => Math.floor(START_US + nowMs * 1000),
    monotonicMs: () => nowMs,
    after: (delayMs, action) => add(delayMs, undefined, action),
    every: (intervalMs, action) => add(intervalMs, intervalMs, action),
    stall(ms) {
      nowMs += ms
    },
    async advance(ms) {
      const endMs = nowMs + ms
      await settle()
      for (;;) {
        let next: Timer | undefined
        for (const timer of timers)
          if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer
        if (next === undefined) break
        nowMs = Math.max(nowMs, next.dueMs)
        if (next.everyMs === undefined) timers.delete(next)
        else next.dueMs = nowMs + next.everyMs
        next.action()
        await settle()
      }
      nowMs = endMs
    },
  }
}

/** The venue's end of one connection. */
export class Peer {
  readonly url: string
  readonly sent: string[] = []
  pings = 0
  isClosedByUs = false
  readonly #handlers: SocketHandlers

  constructor(url: string, handlers: SocketHandlers) {
    this.url = url
    this.#handlers = handlers
  }

  open(): void {
    this.#handlers.open()
  }

  message(value: unknown): void {
    this.#handlers.frame(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
  }

  pong(): void {
    this.#handlers.alive(false)
  }

  /** Answered, as `ws` does. */
  ping(): void {
    this.#handlers.alive(true)
  }

  close(code = 1006, reason = ''): void {
    this.#handlers.closed(code, reason)
  }

  /** What we sent, as JSON; plain texts as they are. */
  get frames(): { method?: string; op?: string; id?: number | string; params?: unknown; args?: unknown }[] {
    return this.sent.filter((text) => text.startsWith('{')).map((text) => JSON.parse(text))
  }
}

export interface World extends Platform {
  readonly clock: WorldClock
  readonly peers: Peer[]
  /** The newest connection. */
  readonly peer: Peer
  readonly requests: { readonly url: string; readonly atMs: number }[]
  /** Answers every request from now on. */
  answer: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>
  readonly disk: Map<string, string>
}

export const jsonAnswer = (body: unknown, status = 200, headers: Record<string, string> = {}): HttpResponse => ({
  status,
  headers,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
})

export function createWorld(seed = 1): World {
  const clock = worldClock()
  const peers: Peer[] = []
  const requests: { url: string; atMs: number }[] = []
  const disk = new Map<string, string>()
  const net: Net = {
    connect(options, handlers): Socket {
      const peer = new Peer(options.url, handlers)
      peers.push(peer)
      return {
        send: (text) => void peer.sent.push(text),
        ping: () => {
          peer.pings++
        },
        close: () => {
          peer.isClosedByUs = true
        },
        terminate: () => {
          peer.isClosedByUs = true
        },
      }
    },
  }
  const http: Http = {
    get: async (request) => {
      requests.push({ url: request.url, atMs: clock.monotonicMs() })
      return world.answer(request)
    },
  }
  const machine = new VirtualLoop()
  const scope = new Scope()
  const files: Files = {
    ...new VirtualDisk(machine, seededRandom(seed)).files(scope),
    read: async (path) => disk.get(path),
    replace: async (path, text) => void disk.set(path, text),
    append: (path) => {
      disk.set(path, disk.get(path) ?? '')
      let size = Buffer.byteLength(disk.get(path) ?? '')
      return {
        get size() {
          return size
        },
        append(text) {
          disk.set(path, (disk.get(path) ?? '') + text)
          size += Buffer.byteLength(text)
        },
        sync: () => {},
        close: () => {},
      }
    },
  }
  const world: World = {
    clock,
    net,
    http,
    files,
    processes: new VirtualProcesses().of(scope),
    peers,
    requests,
    disk,
    random: seededRandom(seed),
    get peer() {
      const peer = peers.at(-1)
      if (peer === undefined) throw new Error('nothing has connected yet')
      return peer
    },
    answer: () => Promise.reject(new Error('connect ECONNREFUSED')),
  }
  return world
}

import { WebSocket } from 'ws'
import { systemClock } from '../../src/platform/clock.ts'
import type { Clock } from '../../src/platform/platform.ts'

/** A clock that moves only when told. */
export function manualClock(startMs = 1_790_000_000_000): Clock & { advance(ms: number): void } {
  let now = 0
  let lastId = 0
  const timers = new Map<number, { atMs: number; everyMs: number | undefined; action: () => void }>()
  const add = (delayMs: number, everyMs: number | undefined, action: () => void) => {
    const id = ++lastId
    timers.set(id, { atMs: now + delayMs, everyMs, action })
    return () => void timers.delete(id)
  }
  return {
    nowUs: () => Math.floor((startMs + now) * 1000),
    monotonicMs: () => now,
    after: (delayMs, action) => add(delayMs, undefined, action),
    every: (intervalMs, action) => add(intervalMs, intervalMs, action),
    advance(ms) {
      const end = now + ms
      for (;;) {
        const [next] = [...timers].filter(([, { atMs }]) => atMs <= end).sort(([, a], [, b]) => a.atMs - b.atMs)
        if (!next) break
        const [id, timer] = next
        now = timer.atMs
        if (timer.everyMs === undefined) timers.delete(id)
        else timer.atMs += timer.everyMs
        timer.action()
      }
      now = end
    },
  }
}

export const clock = systemClock()

/** Resolves when `condition` holds, looking every few ms. Errors: rejects after `deadlineMs`, naming what it waited for. */
export async function until(what: string, condition: () => unknown, deadlineMs = 5000): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** What a client sees of one connection. */
export interface Client {
  readonly socket: WebSocket
  readonly frames: string[]
  readonly pings: string[]
  closed: { code: number; reason: string } | undefined
  send(message: unknown): void
  /** Frames as JSON that pass `filter`. */
  json(filter?: (message: Record<string, unknown>) => boolean): Record<string, unknown>[]
}

/** Connects; rejects if the handshake fails. `isDeaf`: does not answer pings. */
export async function connect(url: string, { isDeaf = false } = {}): Promise<Client> {
  const socket = new WebSocket(url, { perMessageDeflate: false, autoPong: !isDeaf })
  const client: Client = {
    socket,
    frames: [],
    pings: [],
    closed: undefined,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    json: (filter = () => true) =>
      client.frames.map((frame) => JSON.parse(frame) as Record<string, unknown>).filter(filter),
  }
  socket.on('message', (data: Buffer) => client.frames.push(data.toString('utf8')))
  socket.on('ping', (data: Buffer) => client.pings.push(data.toString('utf8')))
  socket.on('close', (code, reason) => {
    client.closed = { code, reason: reason.toString('utf8') }
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  return client
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: unknown
}

/** One GET; the body as text and, if it is JSON, parsed. */
export async function get(url: string): Promise<Answer> {
  const response = await fetch(url)
  const text = await response.text()
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined
  }
  return { status: response.status, headers: response.headers, text, body }
}

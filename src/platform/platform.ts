/** The seam between this program and the world: clock, random, sockets, HTTP, files. Simulated in tests. */

import type { EpochUs } from '../model/event.ts'

export interface Clock {
  /** Wall clock; never runs backwards within one process. */
  nowUs(): EpochUs
  /** Milliseconds that only ever grow; for timeouts and rates. */
  monotonicMs(): number
  /** Calls `action` once after `delayMs`. The result cancels it. Delays are clamped to what a timer can hold. */
  after(delayMs: number, action: () => void): () => void
  /** Calls `action` every `intervalMs`. The result stops it. */
  every(intervalMs: number, action: () => void): () => void
}

/** Uniform in [0, 1). */
export type Random = () => number

export interface SocketHandlers {
  open(): void
  /** One WebSocket message, as its bytes. `bytes` is only valid during the call. */
  frame(bytes: Buffer): void
  /** A WebSocket pong or ping control frame arrived: the peer is alive. `isPing`: the latter, which has been answered. */
  alive(isPing: boolean): void
  /** Called exactly once, whatever ended the connection. `code` 1006: no close frame came. */
  closed(code: number, reason: string): void
}

export interface SocketOptions {
  readonly url: string
  readonly connectTimeoutMs: number
  /** A message longer than this ends the connection. */
  readonly frameBytesMax: number
}

/** A WebSocket connection. Every method is safe to call at any time; after `closed` they do nothing. */
export interface Socket {
  send(text: string): void
  ping(): void
  /** Polite close; `closed` follows, at the latest when `terminate` is called. */
  close(code: number, reason: string): void
  terminate(): void
}

export interface Net {
  connect(options: SocketOptions, handlers: SocketHandlers): Socket
}

export interface HttpRequest {
  readonly url: string
  readonly timeoutMs: number
  readonly bodyBytesMax: number
  /** Beyond those of every request; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface HttpResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface Http {
  /** Errors: rejects with an Error whose message names the stage (`dns`, `connect`, `timeout`, …). */
  get(request: HttpRequest): Promise<HttpResponse>
}

/** A file that only grows. The calls are synchronous, so that nothing can happen between a record and what follows it. */
export interface AppendFile {
  /** Bytes in the file, those not yet synced included. */
  readonly size: number
  /** Errors: throws when not all of it could be written; a part of it may stand in the file. */
  append(text: string): void
  /** Returns when everything appended is on disk. Errors: throws; what was appended to this file is then in doubt. */
  sync(): void
  close(): void
}

/** A file that is appended to while the program goes on. `append` calls must not overlap; `sync` may run beside one. */
export interface DataFile {
  /** Writes all of it at the end, in order. Errors: rejects; a part of it may stand in the file. */
  append(parts: readonly Uint8Array[]): Promise<void>
  /**
   * Resolves when everything appended before the call is on disk.
   * Errors: rejects; what was appended is in doubt then, and a later `sync` of the same file proves nothing.
   */
  sync(): Promise<void>
  close(): Promise<void>
}

/** Errors of all methods: reject with the system's error, `code` set. */
export interface Files {
  /** The file's text, or `undefined` if there is none. */
  read(path: string): Promise<string | undefined>
  /** Replaces the file as a whole: a crash leaves the old or the new text, never a part. Makes the folder. */
  replace(path: string, text: string): Promise<void>
  /** Opens for appending; makes the folder and the file. Errors: throws. */
  append(path: string): AppendFile
  /** The names in a folder, those of folders included, in no order; none if there is no such folder. */
  list(folder: string): Promise<readonly string[]>
  /** Makes the folder, and those above it. */
  makeFolder(folder: string): Promise<void>
  /** Bytes in the file; `undefined` if there is none. */
  size(path: string): Promise<number | undefined>
  /** Up to `bytes` bytes from `at` on; fewer where the file ends. */
  readAt(path: string, at: number, bytes: number): Promise<Buffer>
  /** A new, empty file. Errors: EEXIST. Its name survives a power failure after `syncFolder` only. */
  create(path: string): Promise<DataFile>
  /** Cuts the file to `bytes`; on disk when it resolves. */
  truncate(path: string, bytes: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Removes the folder if there is nothing in it. */
  removeFolder(folder: string): Promise<void>
  /** New, renamed and removed names of the folder are on disk when it resolves. */
  syncFolder(folder: string): Promise<void>
  /** Bytes that an unprivileged process can still write to the folder's file system. */
  freeBytes(folder: string): Promise<number>
}

/** What tells one process from all others, also after its number was given to another, or the machine started anew. */
export interface ProcessName {
  readonly pid: number
  /** When it started, in the system's own unit; empty: not known. */
  readonly started: string
  /** Of this run of the machine; empty: not known. */
  readonly boot: string
  /** Within which its number counts: containers count from 1 each. Empty: not known. */
  readonly space: string
}

export interface Processes {
  readonly own: ProcessName
  /** `unknown`: it ran in another container, and nobody here can see whether it does. */
  stateOf(process: ProcessName): 'alive' | 'dead' | 'unknown'
}

export interface Platform {
  readonly clock: Clock
  readonly random: Random
  readonly net: Net
  readonly http: Http
  readonly files: Files
  readonly processes: Processes
}

/** One subscription of the event stream, kept for as long as the page lives. */

import { streamUrl } from './api.ts'
import { Backoff } from './backoff.ts'
import { protocolsOf } from './protocols.ts'
import type { StreamEvent } from './types.ts'

/** Lists that are left out mean all. */
export interface Wanted {
  readonly types: readonly string[]
  readonly venues?: readonly string[]
  readonly symbols?: readonly string[]
}

export interface StreamPorts {
  onEvent(event: StreamEvent): void
  /** What is wanted now is subscribed: every event from here on will come. */
  onSubscribed(): void
  /** The connection was lost; it is opened again by itself. */
  onLost(): void
}

export class EventStream {
  readonly #ports: StreamPorts
  readonly #token: () => string | null
  readonly #backoff = new Backoff()
  #wanted: Wanted | undefined
  /** Acknowledgements that still belong to what was wanted before. */
  #pending = 0
  #socket: WebSocket | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  isOpen = false

  constructor(token: () => string | null, ports: StreamPorts) {
    this.#token = token
    this.#ports = ports
  }

  /** Replaces what was wanted before; events of that are not given on any more. */
  want(wanted: Wanted): void {
    this.#wanted = wanted
    if (this.isOpen) this.#subscribe()
    else this.connect()
  }

  /** Tries at once, without waiting for the next attempt. */
  connect(): void {
    if (this.#wanted === undefined || this.#socket !== undefined) return
    clearTimeout(this.#retry)
    const socket = new WebSocket(streamUrl(), protocolsOf(this.#token()))
    this.#socket = socket
    socket.addEventListener('open', () => {
      this.isOpen = true
      this.#pending = 0
      this.#subscribe()
    })
    socket.addEventListener('message', ({ data }) => this.#message(String(data)))
    socket.addEventListener('close', () => this.#closed())
  }

  #subscribe(): void {
    this.#pending++
    this.#socket?.send(JSON.stringify({ op: 'subscribe', ...this.#wanted }))
  }

  #message(text: string): void {
    const message = JSON.parse(text) as StreamEvent & { readonly op?: string }
    if (message.op === 'subscribed') {
      this.#pending--
      this.#backoff.reset()
      if (this.#pending === 0) this.#ports.onSubscribed()
    } else if (message.op === undefined && this.#pending === 0) this.#ports.onEvent(message)
  }

  #closed(): void {
    this.#socket = undefined
    this.isOpen = false
    this.#ports.onLost()
    this.#retry = setTimeout(() => this.connect(), this.#backoff.next())
  }
}

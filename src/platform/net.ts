import { WebSocket } from 'ws'
import type { Net, Socket, SocketHandlers, SocketOptions } from './platform.ts'

/** Real WebSockets. Compression is off: venues document none, and a compressed frame can grow a thousandfold. */
export const systemNet: Net = { connect: (options, handlers) => new SystemSocket(options, handlers) }

class SystemSocket implements Socket {
  readonly #socket: WebSocket
  /** Why the connection failed, if `ws` said; `closed` reports it once. */
  #failure = ''

  constructor(options: SocketOptions, handlers: SocketHandlers) {
    this.#socket = new WebSocket(options.url, {
      handshakeTimeout: options.connectTimeoutMs,
      perMessageDeflate: false,
      maxPayload: options.frameBytesMax,
      followRedirects: false,
    })
    this.#socket.on('open', handlers.open)
    this.#socket.on('message', (data: Buffer) => handlers.frame(data))
    this.#socket.on('ping', () => handlers.alive(true))
    this.#socket.on('pong', () => handlers.alive(false))
    this.#socket.on('error', (error) => {
      this.#failure = error.message
    })
    // A reset and an end without a close frame give no `error`: the state machine lives on `close` alone.
    this.#socket.on('close', (code, reason) => handlers.closed(code, reason.toString('utf8') || this.#failure))
  }

  send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text)
  }

  ping(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }
}

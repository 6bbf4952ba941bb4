import { connect, createServer, type Server, type Socket } from 'node:net'

/** The way to a server, which a proof can spoil: passes bytes on both ways, until it is told to swallow the server's. */
export class TcpProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  isSwallowing = false

  /** To a port of this machine. */
  constructor(port: number) {
    this.#server = createServer((client) => {
      const upstream = connect(port, '127.0.0.1')
      client.pipe(upstream)
      upstream.on('data', (bytes) => this.isSwallowing || client.write(bytes))
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#sockets.delete(socket)
          other.destroy()
        })
      }
    })
  }

  /** Yields the port that it listens on. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return address.port
  }

  /** Ends all connections, without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}

/**
 * WebSocket upgrades through the router, so that they pass the same gate as every request.
 * A request that is no upgrade of our stream is answered as if it had not asked for one, and its connection closed.
 */

import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../../platform/platform.ts'
import { BEARER_PROTOCOL } from '../../service/authorization.ts'

interface Upgrade {
  readonly socket: Duplex
  readonly head: Buffer
  readonly response: ServerResponse
  /** Cancels the end of a connection that does not become a WebSocket. */
  cancel(): void
}

export interface Upgrader {
  isUpgrade(request: FastifyRequest): boolean
  /** Turns the request into a WebSocket. The reply is no longer of use. */
  accept(request: FastifyRequest, reply: FastifyReply, onOpen: (socket: WebSocket) => void): void
}

export interface UpgraderOptions {
  readonly messageBytesMax: number
  /** Longest life of a connection that asked for an upgrade and did not become a WebSocket. */
  readonly answerTimeoutMs: number
  readonly clock: Clock
  /** Answers a connection whose handshake is none. */
  refuse(socket: Duplex): void
}

export function upgrader(
  app: FastifyInstance,
  { messageBytesMax, answerTimeoutMs, clock, refuse }: UpgraderOptions,
): Upgrader {
  const upgrades = new WeakMap<IncomingMessage, Upgrade>()
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageBytesMax,
    handleProtocols: (offered) => [...offered].find((name) => !name.startsWith(BEARER_PROTOCOL)) ?? false,
  })
  server.on('wsClientError', (_error, socket) => refuse(socket))

  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // From here on Node neither watches the socket nor ends it.
    socket.on('error', () => socket.destroy())
    const cancel = clock.after(answerTimeoutMs, () => socket.destroy())
    socket.once('close', cancel)
    const response = new ServerResponse(request)
    response.assignSocket(request.socket)
    response.setHeader('connection', 'close')
    response.once('finish', () => request.socket.destroySoon())
    upgrades.set(request, { socket, head, response, cancel })
    app.routing(request, response)
  })

  return {
    isUpgrade: ({ raw }) => upgrades.has(raw) && raw.headers.upgrade?.toLowerCase() === 'websocket',
    accept({ raw }, reply, onOpen) {
      const upgrade = upgrades.get(raw)
      if (upgrade === undefined) return
      reply.hijack()
      upgrade.cancel()
      upgrade.response.detachSocket(raw.socket)
      server.handleUpgrade(raw, upgrade.socket, upgrade.head, onOpen)
    },
  }
}

/** `WS /api/v1/stream`: the live normalized events. */

import { fastifyWebsocket, type WebSocket } from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { PrismError } from '../../model/errors.ts'
import { refuseRaw } from '../../service/client-errors.ts'
import { PUBLIC_MESSAGES } from '../../service/envelope.ts'
import type { HttpServer } from '../../service/http-server.ts'
import type { Logger } from '../../service/ports.ts'
import type { RouteDeps } from '../deps.ts'
import { dataRoute } from '../route.ts'
import { StreamHub, type StreamLimits } from './hub.ts'
import { commandReader } from './subscription.ts'

const PATH = '/api/v1/stream'

/** Plain HTTP gets told what the path is for; it is in the list of routes for the documentation's sake. */
export const streamRoute = dataRoute({
  path: PATH,
  summary: 'Live normalized events, over WebSocket',
  description:
    'Send `{"op":"subscribe","types":["trade"],"venues":["binance"],"symbols":["BTCUSDT"]}`; a list that is left out means all. The answer is `{"op":"subscribed",…}`, then one JSON event a message. A new subscription replaces the old one; `{"op":"unsubscribe"}` ends it. Bad messages are answered `{"op":"error","message":…}`. Closed with 4008: the client reads too slowly. 1001: the service stops.',
  tag: 'data',
  message: 'Switching to WebSocket',
  response: z.object({}),
  errors: ['INVALID_PARAMETERS'],
  needsCollector: true,
  handle() {
    throw new PrismError('INVALID_PARAMETERS', 'This path speaks WebSocket. Connect with ws:// instead of http://.')
  },
})

export interface StreamOptions {
  readonly server: HttpServer
  readonly deps: RouteDeps
  readonly logger: Logger
  readonly limits: StreamLimits
}

/** Adds the stream to the server. It closes with the server. */
export function mountStream({ server, deps, logger, limits }: StreamOptions): StreamHub {
  const { app, guards } = server
  const { view, clock, metrics, names } = deps
  const hub = new StreamHub({ view, clock, logger, metrics, read: commandReader(names), limits })
  const options = { maxPayload: limits.messageBytesMax, perMessageDeflate: false }
  app.register(fastifyWebsocket, {
    options,
    errorHandler: (_error, socket) => socket.terminate(),
    preClose(done) {
      hub.close()
      app.websocketServer.close()
      done()
    },
  })
  app.after(() => {
    app.websocketServer.on('wsClientError', (_error, socket) =>
      refuseRaw(socket, 'This is not a WebSocket handshake of version 13.', clock, server.limits.lingerMs),
    )
    app.route({
      method: 'GET',
      url: PATH,
      config: { needsToken: true },
      onRequest: async (request) => mayOpen(request),
      handler: async () => streamRoute.run({}, {}),
      wsHandler: (socket, request) => connect(socket, request),
    })
  })
  return hub

  function mayOpen({ headers }: FastifyRequest): void {
    if (!view.isInitialized) {
      throw new PrismError('COLLECTOR_NOT_INITIALIZED', PUBLIC_MESSAGES.COLLECTOR_NOT_INITIALIZED)
    }
    if (!guards.mayOpenStream(headers.origin, headers.host)) {
      throw new PrismError('INVALID_PARAMETERS', 'Pages of this origin may not open the stream.')
    }
    if (hub.isFull) throw new PrismError('SERVICE_UNAVAILABLE', 'The stream has as many clients as it can serve.')
  }

  function connect(socket: WebSocket, request: FastifyRequest): void {
    const client = hub.add(socket, request.ip)
    logger.info('stream_client_connected', 'a stream client connected', { client: request.ip, clients: hub.size })
    socket.on('message', (data, isBinary) => client.message(isBinary ? '' : String(data)))
    socket.on('pong', () => client.alive())
    socket.on('close', (code) => {
      client.closed()
      logger.info('stream_client_closed', 'a stream client left', { client: request.ip, code, clients: hub.size })
    })
  }
}

/** `WS /api/v1/stream`: the live normalized events. */

import type { FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import { z } from 'zod'
import { PrismError } from '../../model/errors.ts'
import { refuseRaw } from '../../service/client-errors.ts'
import type { HttpServer } from '../../service/http-server.ts'
import type { Logger } from '../../service/ports.ts'
import type { RouteDeps } from '../deps.ts'
import { requireInitialized } from '../mount.ts'
import { dataRoute } from '../route.ts'
import { StreamHub, type StreamLimits } from './hub.ts'
import { commandReader } from './subscription.ts'
import { upgrader } from './upgrade.ts'

const PATH = '/api/v1/stream'
const BAD_HANDSHAKE = 'This is not a WebSocket handshake of version 13.'

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

/** Adds the stream to the server. It closes when the server stops. */
export function mountStream({ server, deps, logger, limits }: StreamOptions): void {
  const { app, guards } = server
  const { view, clock, metrics, names } = deps
  const hub = new StreamHub({ view, clock, logger, metrics, read: commandReader(names), limits })
  const { isUpgrade, accept } = upgrader(app, {
    messageBytesMax: limits.messageBytesMax,
    answerTimeoutMs: server.limits.idleTimeoutMs,
    clock,
    refuse: (socket) => refuseRaw(socket, BAD_HANDSHAKE, clock, server.limits.lingerMs),
  })
  app.addHook('preClose', async () => hub.close())
  app.get(PATH, { config: { needsToken: true } }, async (request, reply) => {
    requireInitialized(view)
    if (!isUpgrade(request)) return streamRoute.run({})
    const { origin, host } = request.headers
    if (!guards.mayOpenStream(origin, host)) {
      throw new PrismError('INVALID_PARAMETERS', 'Pages of this origin may not open the stream.')
    }
    if (hub.isFull) throw new PrismError('SERVICE_UNAVAILABLE', 'The stream has as many clients as it can serve.')
    accept(request, reply, (socket) => serve(socket, request))
    return reply
  })

  function serve(socket: WebSocket, { ip, raw }: FastifyRequest): void {
    const client = hub.add(socket, raw.socket, ip)
    logger.info('stream_client_connected', 'a stream client connected', { client: ip, clients: hub.size })
    socket.on('message', (data, isBinary) => client.message(isBinary ? '' : String(data)))
    socket.on('pong', () => client.alive())
    // What is wrong with a client is its own business; `close` follows.
    socket.on('error', () => undefined)
    socket.on('close', (code) => {
      client.closed()
      logger.info('stream_client_closed', 'a stream client left', { client: ip, code, clients: hub.size })
    })
  }
}

/** The HTTP server of a service: hardened, observed, and stopped without losing a running request. */

import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { errorText, PrismError } from '../model/errors.ts'
import type { Clock } from '../platform/platform.ts'
import { accessLog } from './access-log.ts'
import { clientErrorHandler } from './client-errors.ts'
import { ERROR_HEADERS, PUBLIC_MESSAGES } from './envelope.ts'
import { type FailedAnswer, type FailureAnswers, failureAnswers } from './failures.ts'
import { gate } from './gate.ts'
import { type Guards, guards } from './guards.ts'
import { JSON_TYPE, SECURITY_HEADERS } from './headers.ts'
import { HTTP_LIMITS, type HttpLimits } from './limits.ts'
import { type Address, listenOn } from './listen.ts'
import type { ApiConfig, HttpMetrics, Logger } from './ports.ts'
import { rateLimit } from './rate-limit.ts'
import { trackSockets } from './sockets.ts'

export interface HttpServerOptions {
  readonly config: ApiConfig
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: HttpMetrics
  readonly startUs: number
  readonly limits?: Partial<HttpLimits>
}

export interface HttpServer {
  /** Where routes are added, before `listen`. */
  readonly app: FastifyInstance
  readonly guards: Guards
  readonly limits: HttpLimits
  readonly failures: FailureAnswers
  isStopping(): boolean
  /** Errors: PORT_IN_USE; CONFIG_INVALID for an address that cannot be used. */
  listen(): Promise<Address>
  /** Refuses new work at once, lets running requests finish (bounded), then closes every connection. */
  stop(): Promise<void>
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { config, clock, logger, metrics } = options
  const limits = { ...HTTP_LIMITS, ...options.limits }
  const failures = failureAnswers(clock, logger, options.startUs)
  const guard = guards(config)
  let isStopping = false
  const app = createApp(options, limits, failures)
  const changeable = new Set<string>()
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.isChange) changeable.add(url)
  })
  const sockets = trackSockets(app.server, config.connections_max, limits, metrics)

  accessLog(app, clock, logger, metrics)
  app.addHook(
    'onRequest',
    gate({
      guards: guard,
      isStopping: () => isStopping,
      isFull: () => sockets.size > config.connections_max,
      mayAsk: rateLimit(config.requests_per_second, clock),
      isChangeable: (path) => changeable.has(path),
    }),
  )
  app.addHook('onSend', async (request, reply) => {
    for (const name in SECURITY_HEADERS) {
      if (name !== 'content-security-policy' || !reply.hasHeader(name)) reply.header(name, SECURITY_HEADERS[name])
    }
    if (isStopping || isBodyComing(request)) reply.header('connection', 'close')
  })
  app.setErrorHandler((error, request, reply) =>
    send(
      reply,
      failures(error, request.routeOptions.config?.failure ?? 'INTERNAL_ERROR', request.routeOptions.url ?? ''),
    ),
  )
  app.setNotFoundHandler(() => {
    throw new PrismError('NOT_FOUND', PUBLIC_MESSAGES.NOT_FOUND)
  })

  return {
    app,
    guards: guard,
    limits,
    failures,
    isStopping: () => isStopping,
    async listen() {
      await app.ready()
      const address = await listenOn(app.server, config.host, config.port)
      // Out of file descriptors, for one: accepting goes on when there are some again.
      app.server.on('error', (error) => logger.error('http_accept_failed', errorText(error)))
      return address
    },
    async stop() {
      isStopping = true
      const cancel = clock.after(limits.stopTimeoutMs, () => {
        for (const socket of sockets.keys()) socket.destroy()
      })
      await app.close()
      cancel()
    },
  }
}

function createApp(
  { clock, metrics }: HttpServerOptions,
  limits: HttpLimits,
  failures: FailureAnswers,
): FastifyInstance {
  const app = fastify({
    logger: false,
    http: {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: limits.connectionsCheckMs,
      // Node would refuse a missing Host with an empty answer; the gate refuses it in the envelope.
      requireHostHeader: false,
    },
    requestTimeout: limits.requestTimeoutMs,
    bodyLimit: limits.bodyBytesMax,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    // Fastify's own answer while closing has no envelope; the gate gives ours.
    return503OnClosing: false,
    clientErrorHandler: clientErrorHandler(clock, limits.lingerMs, metrics.rejected),
    // Paths that the router refuses run no hooks.
    frameworkErrors(error, request, reply) {
      if (isBodyComing(request)) reply.header('connection', 'close')
      const answer = failures(error, 'INVALID_PARAMETERS', 'unmatched')
      metrics.answered('unmatched', answer.status, 0)
      send(reply.headers(SECURITY_HEADERS), answer)
    },
  })
  // Bodies are JSON; a page's form could send text without asking first.
  app.removeContentTypeParser('text/plain')
  // Node would answer an Expect header that it does not know with an empty 417.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  return app
}

/** A body that no route reads is not waited for, and its bytes must not be taken for a request. */
const isBodyComing = (request: FastifyRequest): boolean => !request.raw.complete

function send(reply: FastifyReply, { status, body }: FailedAnswer): FastifyReply {
  const usual = Object.entries(ERROR_HEADERS[body.error_code] ?? {}).filter(([name]) => !reply.hasHeader(name))
  return reply.code(status).headers(Object.fromEntries(usual)).type(JSON_TYPE).send(JSON.stringify(body))
}

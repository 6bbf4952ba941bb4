import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../platform/platform.ts'
import type { HttpMetrics, Logger } from './ports.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked so often by machines that it is logged at DEBUG. */
    isQuiet?: boolean
  }
}

const MS_PER_SECOND = 1000
const TOO_MANY_REQUESTS = 429

/** One line and one count for each answer. The route's pattern is logged, not the path: a path may be hostile. */
export function accessLog(app: FastifyInstance, clock: Clock, logger: Logger, metrics: HttpMetrics): void {
  app.addHook('onRequest', async (request, reply) => {
    const startMs = clock.monotonicMs()
    // Unlike Fastify's `onResponse`, this comes also when the client did not wait for its answer.
    reply.raw.once('close', () => {
      const elapsedMs = clock.monotonicMs() - startMs
      const route = routeOf(request)
      metrics.answered(route, reply.statusCode, elapsedMs / MS_PER_SECOND)
      const fields = {
        method: request.method,
        route,
        status: reply.statusCode,
        duration_ms: Math.round(elapsedMs * MS_PER_SECOND) / MS_PER_SECOND,
        client: request.ip,
        ...(request.raw.socket.destroyed ? { is_aborted: true } : {}),
      }
      // A client that is refused for its rate must not fill the log either; the metrics count its requests.
      const isQuiet = request.routeOptions.config?.isQuiet === true || reply.statusCode === TOO_MANY_REQUESTS
      const level = isQuiet ? 'debug' : 'info'
      logger[level]('request_answered', `${request.method} ${route} ${reply.statusCode}`, fields)
    })
  })
}

/** The route's pattern; `unmatched` where there is none. */
export const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? 'unmatched'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PrismError } from '../model/errors.ts'
import { PUBLIC_MESSAGES, success } from '../service/envelope.ts'
import { JSON_TYPE } from '../service/headers.ts'
import type { RouteDeps } from './deps.ts'
import type { DataRoute, PlainRoute, Route } from './route.ts'
import type { CollectorView } from './view.ts'

/** Puts the routes on the server. `HEAD` comes with every `GET`; without a token there is no `POST`. */
export function mountRoutes(app: FastifyInstance, routes: readonly Route[], deps: RouteDeps): void {
  for (const route of routes) {
    if (route.method === 'POST' && !deps.hasToken) continue
    if (route.kind === 'data') mountData(app, route, deps)
    else mountPlain(app, route)
  }
}

function mountData(app: FastifyInstance, route: DataRoute, { view, clock }: RouteDeps): void {
  const { method, path, failure } = route
  const config = { needsToken: true, isChange: method === 'POST', failure }
  app.route({ method, url: routerPath(path), config, handler })

  async function handler(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (route.needsCollector) requireInitialized(view)
    const data = await route.run(request)
    return reply.type(JSON_TYPE).send(JSON.stringify(success(route.message, data, clock.nowUs())))
  }
}

/** Errors: COLLECTOR_NOT_INITIALIZED until the collector has been built. */
export function requireInitialized({ isInitialized }: CollectorView): void {
  if (isInitialized) return
  throw new PrismError('COLLECTOR_NOT_INITIALIZED', PUBLIC_MESSAGES.COLLECTOR_NOT_INITIALIZED)
}

function mountPlain(app: FastifyInstance, route: PlainRoute): void {
  const { isProbe, isQuiet, needsToken } = route
  app.get(routerPath(route.path), { config: { isProbe, isQuiet, needsToken } }, async (_request, reply) => {
    const { status, body } = await route.run()
    return reply.code(status).type(route.contentType).send(body)
  })
}

/** `{venue}` as the documentation writes it, `:venue` as the router does. */
const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

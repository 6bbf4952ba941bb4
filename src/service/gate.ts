/** What every request passes before its route: capacity, host, shutdown, rate, method, token. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { PrismError } from '../model/errors.ts'
import { authorizationOf } from './authorization.ts'
import { type ApiCode, PUBLIC_MESSAGES } from './envelope.ts'
import type { Guards } from './guards.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A health probe: always answered, whatever the load, never limited. */
    isProbe?: boolean
    /** Served only to those who know the token, where one is configured. */
    needsToken?: boolean
    /** A `POST` that changes something. */
    isChange?: boolean
    /** The code for errors that nobody foresaw. */
    failure?: ApiCode
  }
}

export interface GateOptions {
  readonly guards: Guards
  readonly isStopping: () => boolean
  readonly isFull: () => boolean
  readonly mayAsk: (client: string) => boolean
  /** Is there a route for `POST` at this path? */
  readonly isChangeable: (path: string) => boolean
}

const READING = ['GET', 'HEAD']
const CHANGING = [...READING, 'POST']
/** No answer is stored or sent in parts, so there is nothing that these could refer to. */
const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'range']
const CORS_MAX_AGE_SECONDS = '600'

/** An `onRequest` hook. Whatever it throws is answered by the error handler. */
export function gate({ guards, isStopping, isFull, mayAsk, isChangeable }: GateOptions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    for (const name of CONDITIONS) delete request.raw.headers[name]
    const { isProbe = false, needsToken = false } = request.routeOptions.config ?? {}
    if (!isProbe && (isFull() || isStopping())) {
      reply.header('connection', 'close')
      throw new PrismError('SERVICE_UNAVAILABLE', PUBLIC_MESSAGES.SERVICE_UNAVAILABLE)
    }
    const { host, origin } = request.headers
    if (!guards.isHostAllowed(host))
      throw new PrismError('INVALID_PARAMETERS', 'The Host header names another machine.')
    if (host === undefined && request.raw.httpVersion === '1.1') {
      throw new PrismError('INVALID_PARAMETERS', 'The Host header is missing.')
    }
    if (!isProbe && !mayAsk(request.ip)) throw new PrismError('RATE_LIMITED', PUBLIC_MESSAGES.RATE_LIMITED)
    if (origin !== undefined && guards.isOriginListed(origin)) {
      allowOrigin(reply, origin)
      if (request.method === 'OPTIONS') return reply.code(204).send()
    }
    requireMethod(request, reply, isChangeable(request.routeOptions.url ?? pathOf(request)) ? CHANGING : READING)
    if (needsToken && !guards.isTokenRight(authorizationOf(request.headers))) {
      throw new PrismError('UNAUTHORIZED', PUBLIC_MESSAGES.UNAUTHORIZED)
    }
    return undefined
  }
}

function requireMethod({ method }: FastifyRequest, reply: FastifyReply, allowed: readonly string[]): void {
  if (allowed.includes(method)) return
  reply.header('allow', allowed.join(', '))
  const words = `${allowed.slice(0, -1).join(', ')} and ${allowed.at(-1)}`
  throw new PrismError('METHOD_NOT_ALLOWED', `Only ${words} are allowed.`)
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? ''

/** Pages may only read: a listed origin too gets no `POST` through. */
function allowOrigin(reply: FastifyReply, origin: string): void {
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, HEAD',
    'access-control-allow-headers': 'authorization',
    'access-control-expose-headers': 'retry-after',
    'access-control-max-age': CORS_MAX_AGE_SECONDS,
    vary: 'origin',
  })
}

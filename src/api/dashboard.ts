/** The dashboard at `/`: a page and its files, held in memory. It gets everything it shows from this API. */

import type { FastifyInstance, FastifyReply } from 'fastify'
import { PrismError } from '../model/errors.ts'
import { PUBLIC_MESSAGES } from '../service/envelope.ts'

/** The page runs and asks what this service serves, and nothing else; nothing inline. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

const PAGE = 'index.html'
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/**
 * Serves `files` (by path): the page at `/`, all others under `/dashboard/`. They hold no data, so no token is asked for.
 * Only names that are in `files` exist; nothing is looked up on disk.
 */
export function mountDashboard(app: FastifyInstance, files: ReadonlyMap<string, Buffer>): void {
  const config = { isQuiet: true }
  app.get('/', { config }, async (_request, reply) => {
    if (!files.has(PAGE)) throw new PrismError('NOT_FOUND', 'The dashboard is not built; `npm run build` builds it.')
    return send(reply, PAGE)
  })
  app.get<{ Params: { '*': string } }>('/dashboard/*', { config }, async (request, reply) =>
    send(reply, request.params['*']),
  )

  function send(reply: FastifyReply, name: string): FastifyReply {
    const file = files.get(name)
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)]
    if (file === undefined || type === undefined) throw new PrismError('NOT_FOUND', PUBLIC_MESSAGES.NOT_FOUND)
    return reply.type(type).header('content-security-policy', PAGE_POLICY).send(file)
  }
}

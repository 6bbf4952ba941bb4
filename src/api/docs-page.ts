import { fastifySwagger, type StaticDocumentSpec } from '@fastify/swagger'
import { fastifySwaggerUi } from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { JSON_TYPE } from '../service/headers.ts'
import type { Json } from './openapi.ts'

/** The page loads its own scripts and asks this service, nothing else. It sets styles on elements as it draws. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/** `/openapi.json`, and a page at `/docs` that shows it; both from local files alone. */
export function mountDocs(app: FastifyInstance, document: Json): void {
  const text = JSON.stringify(document)
  app.get('/openapi.json', async (_request, reply) => reply.type(JSON_TYPE).send(text))
  const specification = { document: { ...document } } as unknown as StaticDocumentSpec
  app.register(fastifySwagger, { mode: 'static', specification })
  app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    uiConfig: { docExpansion: 'list', defaultModelsExpandDepth: -1 },
    theme: { title: 'MarketPrism API' },
  })
}

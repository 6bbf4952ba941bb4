/** The OpenAPI document, made from the routes. */

import { z } from 'zod'
import { ERRORS } from '../model/errors.ts'
import { API_CODES, type ApiCode, statusOf } from '../service/envelope.ts'
import { type Route, TAGS } from './route.ts'
import { successSchema, time } from './schemas.ts'

export type Json = Readonly<Record<string, unknown>>

/** The part of JSON Schema that our schemas use. */
export interface SchemaNode {
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly SchemaNode[]
  readonly items?: SchemaNode | false
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: SchemaNode | boolean
}

const errorSchema = z.strictObject({
  status: z.literal('error'),
  error_code: z.enum(API_CODES),
  message: z.string(),
  error_id: z.string().optional().describe('Where the log has the details; on 5xx only.'),
  data: z.null(),
  timestamp: time,
})

/** Codes that any endpoint may answer; a probe is always answered. */
const COMMON_CODES: readonly ApiCode[] = ['METHOD_NOT_ALLOWED', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE']
const PROBE_CODES: readonly ApiCode[] = ['METHOD_NOT_ALLOWED']

export function openapiDocument(version: string, routes: readonly Route[]): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'MarketPrism Data Collector',
      version,
      description:
        'Public crypto market data, collected exactly. Times are UTC with microseconds; prices and quantities are strings with the digits that the venue sent.',
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: paths(routes),
    components: {
      schemas: { Error: jsonSchema(errorSchema) },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Only where a token is configured.' } },
    },
  }
}

function paths(routes: readonly Route[]): Json {
  const operations: Record<string, Json> = {}
  for (const route of routes) {
    operations[route.path] = { ...operations[route.path], [route.method.toLowerCase()]: operation(route) }
  }
  return operations
}

function operation(route: Route): Json {
  const { body } = route
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.description ? { description: route.description } : {}),
    tags: [route.tag],
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
    ...(body
      ? { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body, 'input') } } } }
      : {}),
    responses: { ...successes(route), ...failures(route) },
    ...security(route),
  }
}

/** A `POST` is served only with a token; elsewhere it is wanted only where one is configured. */
function security(route: Route): Json {
  if (!isGuarded(route)) return {}
  return { security: route.method === 'POST' ? [{ token: [] }] : [{}, { token: [] }] }
}

const isGuarded = (route: Route): boolean => route.kind === 'data' || route.needsToken

/** Codes that this endpoint may answer, without repetition. */
export function errorCodes(route: Route): readonly ApiCode[] {
  const own: readonly ApiCode[] =
    route.kind === 'plain'
      ? ['INTERNAL_ERROR']
      : [
          ...(Object.keys(route.query.shape).length > 0 || route.body ? (['INVALID_PARAMETERS'] as const) : []),
          ...(route.needsCollector ? (['COLLECTOR_NOT_INITIALIZED'] as const) : []),
          route.failure,
        ]
  const guarded: readonly ApiCode[] = isGuarded(route) ? ['UNAUTHORIZED'] : []
  const common = route.kind === 'plain' && route.isProbe ? PROBE_CODES : COMMON_CODES
  return [...new Set([...own, ...route.errors, ...guarded, ...common])]
}

function parameters(schema: z.ZodObject, place: 'query' | 'path'): Json[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const { description, ...rest } = jsonSchema(field as z.ZodType)
    return { name, in: place, required: place === 'path', ...(description ? { description } : {}), schema: rest }
  })
}

function successes(route: Route): Json {
  if (route.kind === 'data') {
    const schema = jsonSchema(successSchema(route.message, route.response))
    return { 200: { description: route.message, content: { 'application/json': { schema } } } }
  }
  const type = route.contentType.split(';')[0] ?? ''
  const content = { [type]: { schema: jsonSchema(route.response) } }
  return Object.fromEntries([200, ...route.statuses].map((status) => [status, { description: route.summary, content }]))
}

function failures(route: Route): Json {
  const byStatus = new Map<number, ApiCode[]>()
  for (const code of errorCodes(route)) {
    const status = statusOf(code)
    if (route.kind === 'plain' && route.statuses.includes(status)) continue
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      { description: codes.map((code) => `${code}: ${ERRORS[code].summary}`).join(' '), content },
    ]),
  )
}

/** `GET /api/v1/collector/data` is `getCollectorData`. */
function operationId({ method, path }: Route): string {
  const words = path
    .replace('/api/v1', '')
    .split(/[^a-z]+/i)
    .filter(Boolean)
  return `${method.toLowerCase()}${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`
}

/** A zod schema as plain JSON Schema, without the bounds that every integer has. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'output'): SchemaNode {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    override({ jsonSchema: node }) {
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum
      if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum
    },
  })
  return json as SchemaNode
}

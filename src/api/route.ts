/** What an endpoint says of itself. The server makes the answer, its errors and the documentation from it. */

import { z } from 'zod'
import { PrismError } from '../model/errors.ts'
import { type ApiCode, PUBLIC_MESSAGES } from '../service/envelope.ts'

export const TAGS = {
  service: 'The service itself.',
  collector: 'What is collected, from where, and how well.',
  data: 'Market data.',
  operations: 'For probes, scrapers and programs.',
} as const
export type Tag = keyof typeof TAGS

interface RouteBase {
  /** `POST` changes something: it is served only where a token is configured, to those who send it. */
  readonly method: 'GET' | 'POST'
  /** With parameters in braces: `/api/v1/orderbook/{venue}/{symbol}`. */
  readonly path: string
  readonly summary: string
  readonly description: string
  readonly tag: Tag
  readonly query: z.ZodObject
  readonly params: z.ZodObject
  /** The JSON that a `POST` must bring. */
  readonly body: z.ZodObject | undefined
  /** Of `data`, or of the whole body of a plain route. */
  readonly response: z.ZodType
  /** Codes beyond those that every route has. */
  readonly errors: readonly ApiCode[]
}

/** What came, not checked yet. */
interface RawRequest {
  readonly query?: unknown
  readonly params?: unknown
  readonly body?: unknown
}

/** Answers in the envelope. */
export interface DataRoute extends RouteBase {
  readonly kind: 'data'
  readonly message: string
  /** Answered 503 until the collector has initialised. */
  readonly needsCollector: boolean
  /** The code for an exception inside `run`. */
  readonly failure: ApiCode
  /** Errors: throws a PrismError for parameters or a body that are not allowed. */
  readonly run: (request: RawRequest) => unknown
}

export interface PlainAnswer {
  readonly status: number
  readonly body: string
}

/** Answers without the envelope: probes, metrics, documents. */
export interface PlainRoute extends RouteBase {
  readonly kind: 'plain'
  readonly contentType: string
  /** Statuses beside 200 that carry the same document. */
  readonly statuses: readonly number[]
  readonly isProbe: boolean
  readonly isQuiet: boolean
  readonly needsToken: boolean
  readonly run: () => PlainAnswer | Promise<PlainAnswer>
}

export type Route = DataRoute | PlainRoute

interface DataSpec<
  Query extends z.ZodObject,
  Params extends z.ZodObject,
  Body extends z.ZodObject,
  Response extends z.ZodType,
> {
  readonly path: string
  readonly summary: string
  readonly description?: string
  readonly tag: Tag
  readonly message: string
  readonly query?: Query
  readonly params?: Params
  /** Makes it a `POST`. */
  readonly body?: Body
  readonly response: Response
  readonly errors?: readonly ApiCode[]
  readonly needsCollector?: boolean
  readonly failure?: ApiCode
  handle(input: {
    readonly query: z.output<Query>
    readonly params: z.output<Params>
    readonly body: z.output<Body>
  }): z.input<Response> | Promise<z.input<Response>>
}

type Nothing = z.ZodObject<Record<never, never>>

/** An endpoint that answers in the envelope. */
export function dataRoute<
  Response extends z.ZodType,
  Query extends z.ZodObject = Nothing,
  Params extends z.ZodObject = Nothing,
  Body extends z.ZodObject = Nothing,
>(spec: DataSpec<Query, Params, Body, Response>): DataRoute {
  const query = spec.query ?? z.object({})
  const params = spec.params ?? z.object({})
  const { body } = spec
  return {
    kind: 'data',
    method: body ? 'POST' : 'GET',
    path: spec.path,
    summary: spec.summary,
    description: spec.description ?? '',
    tag: spec.tag,
    message: spec.message,
    query,
    params,
    body,
    response: spec.response,
    errors: spec.errors ?? [],
    needsCollector: spec.needsCollector ?? false,
    failure: spec.failure ?? 'INTERNAL_ERROR',
    run: (raw) =>
      spec.handle({
        query: parsed(query, raw.query ?? {}) as z.output<Query>,
        params: parsed(params, raw.params ?? {}) as z.output<Params>,
        body: (body && parsed(body, raw.body)) as z.output<Body>,
      }),
  }
}

type PlainSpec = Pick<PlainRoute, 'path' | 'summary' | 'tag' | 'contentType' | 'response' | 'run'> &
  Partial<Pick<PlainRoute, 'description' | 'statuses' | 'isProbe' | 'isQuiet' | 'needsToken'>>

/** An endpoint with a body of its own. */
export const plainRoute = (spec: PlainSpec): PlainRoute => ({
  kind: 'plain',
  method: 'GET',
  description: '',
  query: z.object({}),
  params: z.object({}),
  body: undefined,
  errors: [],
  statuses: [],
  isProbe: false,
  isQuiet: false,
  needsToken: false,
  ...spec,
})

/** Parameters are checked in the order of the schema's fields; the first that fails is the answer. */
function parsed(schema: z.ZodObject, raw: unknown): unknown {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const message = result.error.issues[0]?.message ?? PUBLIC_MESSAGES.INVALID_PARAMETERS
  throw new PrismError('INVALID_PARAMETERS', message)
}

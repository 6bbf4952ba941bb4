/** Asks a running service. Also the flags of the commands that do. */

import type { Command } from 'commander'
import { z } from 'zod'
import { ERRORS, type ErrorCode, errorText, PrismError } from '../model/errors.ts'
import { environmentValues, processEnvironment } from '../ops/environment.ts'
import { systemHttp } from '../platform/http.ts'

const URL_DEFAULT = 'http://127.0.0.1:8084'
const TIMEOUT_MS = 30_000
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

/** Keeps connections for what asks again. */
const http = systemHttp()

export interface ServiceFlags {
  readonly url: string
  readonly token?: string
  readonly json: boolean
  readonly fail: boolean
}

/** Adds the flags that say where the service answers. */
export const addAddressFlags = (command: Command): Command =>
  command
    .option('--url <url>', 'where the service answers', URL_DEFAULT)
    .option(
      '--token <token>',
      'its token, if it has one; API_TOKEN or API_TOKEN_FILE in the environment is not seen by other users',
    )

/** Flags whose value goes into the query as it stands; the service says what is wrong with one. */
export type QueryFlags = Readonly<Record<string, string>>

/** Adds the flags of `query` (name -> meaning), and those of {@link ServiceFlags}. */
export function addServiceFlags(command: Command, query: QueryFlags): Command {
  for (const [name, about] of Object.entries(query)) command.option(`--${name} <${name}>`, about)
  return addAddressFlags(command)
    .option('--json', 'print JSON', false)
    .option('--fail', 'exit with 1 when something is missing', false)
}

const answerSchema = z.object({
  status: z.enum(['success', 'error']),
  error_code: z.string().optional(),
  message: z.string(),
  data: z.unknown(),
  timestamp: z.string(),
})

/**
 * Asks one service. Errors of all: SERVICE_UNAVAILABLE when nothing answers, or something else than this service;
 * what the service itself refuses.
 */
export interface ServiceClient {
  /** The `data` that it answers at `path`, and its own time of the answer, ISO-8601. */
  ask<Data extends z.ZodType>(path: string, schema: Data): Promise<{ data: z.output<Data>; timestamp: string }>
  /** What it answers at `path`, one of those without an envelope, whatever the status. */
  plain<Data extends z.ZodType>(path: string, schema: Data): Promise<z.output<Data>>
  /** The body that it answers at `path`, whatever its status. */
  text(path: string): Promise<string>
}

/** Errors: INVALID_PARAMETERS for a URL that is none. */
export function serviceClient({ url, token }: Pick<ServiceFlags, 'url' | 'token'>): ServiceClient {
  const base = baseUrl(url)
  const asking = { headers: authorization(token), timeoutMs: TIMEOUT_MS }
  return {
    text: (path) => fetchText(base, path, asking),
    plain: (path, schema) => fetchDocument(base, path, asking, schema),
    async ask(path, schema) {
      const answer = await fetchDocument(base, path, asking, answerSchema)
      const { message, status, error_code, data, timestamp } = answer
      if (status === 'error') throw new PrismError(codeOf(error_code), message)
      const result = schema.safeParse(data)
      if (result.success) return { data: result.data, timestamp }
      throw unavailable(
        `The service at ${base} answers in another form than this version knows. Use its own marketprism.`,
      )
    },
  }
}

/** Asks once, at `path`. `flags` may hold more than `names`, the parameters to send. Errors: as {@link ServiceClient}. */
export async function askService<Data extends z.ZodType>(
  path: string,
  names: readonly string[],
  flags: ServiceFlags & Readonly<Record<string, unknown>>,
  schema: Data,
): Promise<z.output<Data>> {
  const query = new URLSearchParams()
  for (const name of names) if (typeof flags[name] === 'string') query.set(name, flags[name])
  const { data } = await serviceClient(flags).ask(`${path}?${query}`, schema)
  return data
}

export interface Asking {
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

/** The JSON at `path`, whatever the status. Errors: SERVICE_UNAVAILABLE when nothing answers, or something else than this service. */
export async function fetchDocument<Document extends z.ZodType>(
  base: string,
  path: string,
  asking: Asking,
  schema: Document,
): Promise<z.output<Document>> {
  const result = schema.safeParse(parsed(await fetchText(base, path, asking)))
  if (result.success) return result.data
  throw unavailable(`What answers at ${base} is not this service. --url says where it answers.`)
}

async function fetchText(base: string, path: string, asking: Asking): Promise<string> {
  const { body } = await http
    .get({ url: `${base}${path}`, bodyBytesMax: ANSWER_BYTES_MAX, ...asking })
    .catch((error: unknown) => {
      const hint = 'Is it running (marketprism start)? --url says where it answers.'
      throw unavailable(`No service answers at ${base}: ${errorText(error)}. ${hint}`)
    })
  return body.toString()
}

function authorization(token: string | undefined): Readonly<Record<string, string>> {
  const secret = token ?? tokenOfEnvironment()
  return secret === undefined ? {} : { authorization: `Bearer ${secret}` }
}

function tokenOfEnvironment(): string | undefined {
  const { overrides } = environmentValues(processEnvironment(), process.cwd())
  const value = overrides.find(({ path }) => path === 'api.token')?.value
  return typeof value === 'string' ? value : undefined
}

/** Without a slash at its end. Errors: INVALID_PARAMETERS for anything but the URL of an HTTP server. */
export function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  throw new PrismError('INVALID_PARAMETERS', `--url must be an http:// or https:// URL, received ${text}`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const codeOf = (code: string | undefined): ErrorCode =>
  code !== undefined && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'INTERNAL_ERROR'

const unavailable = (message: string): PrismError => new PrismError('SERVICE_UNAVAILABLE', message)

/**
 * A ClickHouse server for tests: the one that `CLICKHOUSE_URL` names, or the engine of `tools/clickhouse`. And a front
 * before it that fails as servers and networks do.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const TOOLS = fileURLToPath(new URL('../../tools/clickhouse', import.meta.url))
const GIVEN_URL = process.env.CLICKHOUSE_URL

/** Why tests against a server cannot run; `undefined`: they can. */
export const clickhouseMissing: string | undefined =
  GIVEN_URL !== undefined || existsSync(join(TOOLS, 'node_modules/@chdb'))
    ? undefined
    : 'neither CLICKHOUSE_URL nor the engine (`npm install` in tools/clickhouse, 546 MB) is there'

/** Is the server one that a test may kill? */
export const isOwnClickHouse = GIVEN_URL === undefined

export interface ClickHouse {
  readonly url: string
  /** The answer as text; without `FORMAT`: tab-separated. Errors: rejects with the server's words. */
  query(sql: string): Promise<string>
  /** kill -9. Only where {@link isOwnClickHouse}. */
  kill(): Promise<void>
  /** On the same port with the same data. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** Of a database that no other test uses. */
export const freshDatabase = (): string => `test_${process.pid}_${process.hrtime.bigint()}`

export async function startClickHouse(): Promise<ClickHouse> {
  if (GIVEN_URL !== undefined) {
    const nothing = async () => undefined
    return { url: GIVEN_URL, query: (sql) => ask(GIVEN_URL, sql), kill: nothing, start: nothing, stop: nothing }
  }
  const folder = mkdtempSync(join(tmpdir(), 'clickhouse-'))
  let port = '0'
  let child: ChildProcess
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  const start = async () => {
    child = spawn(process.execPath, [join(TOOLS, 'server.mjs'), folder, port], { stdio: ['ignore', 'pipe', 'inherit'] })
    port = await Promise.race([listening(child), once(child, 'exit').then(() => failed())])
  }
  await start()
  return {
    url: `http://127.0.0.1:${port}`,
    query: (sql) => ask(`http://127.0.0.1:${port}`, sql),
    start,
    kill: () => end('SIGKILL'),
    stop: async () => {
      await end('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function failed(): never {
  throw new Error('the ClickHouse engine did not start; its words are above')
}

async function listening(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout as NodeJS.ReadableStream) {
    text += chunk.toString()
    const port = /listening (\d+)/.exec(text)?.[1]
    if (port !== undefined) return port
  }
  return failed()
}

async function ask(url: string, sql: string): Promise<string> {
  const { origin, username, password } = new URL(url)
  const headers = { authorization: `Basic ${Buffer.from(`${username || 'default'}:${password}`).toString('base64')}` }
  const answer = await fetch(origin, { method: 'POST', body: sql, headers })
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text
}

/** One request, as a rule sees it. */
export interface Asked {
  /** The statement: of an insert, without its rows. */
  readonly sql: string
  readonly body: string
  readonly token: string | undefined
  /** The header of that name. */
  readonly authorization: string | undefined
}

/**
 * What becomes of a request: it passes; it is answered with an error; it passes, and its answer never comes (`mute`)
 * or breaks off (`lost`); the connection breaks before it is sent on (`cut`).
 */
export type Fate = 'pass' | 'mute' | 'lost' | 'cut' | { readonly code: number; readonly text: string }

export interface Front {
  readonly url: string
  /** Asked for every request. */
  rule: (asked: Asked) => Fate
  readonly asked: Asked[]
  close(): Promise<void>
}

/** A front before `target` that lets everything pass until it is given a rule. */
export async function startFront(target: string): Promise<Front> {
  const server: Server = createServer((incoming, answer) => void handle(incoming, answer))
  const front = { url: '', rule: (): Fate => 'pass', asked: [] as Asked[], close: () => closed(server) } as {
    -readonly [K in keyof Front]: Front[K]
  }

  async function handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const raw = Buffer.concat(chunks)
    const { searchParams } = new URL(incoming.url ?? '', 'http://front')
    const body = raw.toString()
    const token = searchParams.get('insert_deduplication_token') ?? undefined
    const asked = { sql: searchParams.get('query') ?? body, body, token, authorization: incoming.headers.authorization }
    front.asked.push(asked)
    const fate = front.rule(asked)
    if (fate === 'cut') incoming.socket.destroy()
    else if (typeof fate === 'object') refuse(answer, fate.code, fate.text)
    else forward(target, incoming, raw, answer, fate)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  front.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return front
}

function refuse(answer: ServerResponse, code: number, text: string): void {
  answer.writeHead(500, { 'x-clickhouse-exception-code': `${code}` })
  answer.end(`Code: ${code}. DB::Exception: ${text}\n`)
}

function forward(target: string, incoming: IncomingMessage, body: Buffer, answer: ServerResponse, fate: Fate): void {
  const { hostname, port } = new URL(target)
  const { transfer_encoding: _, ...headers } = incoming.headers
  delete headers['transfer-encoding']
  const options = { hostname, port, path: incoming.url, method: incoming.method, headers }
  const onward = request({ ...options, headers: { ...headers, 'content-length': `${body.length}` } }, (reply) => {
    if (fate !== 'pass') {
      reply.resume()
      if (fate === 'lost') reply.on('end', () => incoming.socket.destroy())
      return
    }
    answer.writeHead(reply.statusCode ?? 500, reply.headers)
    reply.pipe(answer)
  })
  onward.on('error', () => incoming.socket.destroy())
  onward.end(body)
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, 'close').catch(() => undefined)
}

/** Requests as they are on the wire: no client that tidies up paths, headers or answers. */

import http from 'node:http'
import net from 'node:net'
import type { ApiCode } from '../../../src/service/envelope.ts'
import { statusOf } from '../../../src/service/envelope.ts'

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

export interface Ask {
  readonly method?: string
  readonly headers?: http.OutgoingHttpHeaders
  readonly agent?: http.Agent
  readonly body?: string
}

/** One request, the path sent as it stands. */
export function ask(
  url: string,
  path: string,
  { method = 'GET', headers = {}, agent, body }: Ask = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const options = { hostname, port, path, method, headers, ...(agent ? { agent } : {}) }
    const request = http.request(options, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part) => parts.push(part))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(parts).toString() }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** The answer's JSON. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
export const bodyOf = (answer: Answer): any => JSON.parse(answer.text)

/** Sends `bytes` as they are, and collects what comes until the server closes. */
export function raw(port: number, ...writes: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (part) => {
      text += part
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
    for (const bytes of writes) socket.write(bytes)
  })
}

/** Texts that must never leave the process. */
const LEAK =
  /\n\s*at |node_modules|\.(?:ts|mjs|js):\d+|(?:Type|Range|Reference|Syntax)Error|\/(?:home|root|app|usr|work|tmp)\/|secret/i

/** What is wrong with an error answer; empty when it is as documented. */
export function errorProblems(answer: Answer, code: ApiCode, message?: string): string[] {
  const problems: string[] = []
  const expectEqual = (what: string, got: unknown, expected: unknown) => {
    if (got !== expected) problems.push(`${what}: expected ${String(expected)}, got ${String(got)}`)
  }
  const body = bodyOf(answer)
  expectEqual('HTTP status', answer.status, statusOf(code))
  expectEqual('content type', answer.headers['content-type'], 'application/json; charset=utf-8')
  expectEqual('status', body.status, 'error')
  expectEqual('error_code', body.error_code, code)
  expectEqual('data', body.data, null)
  expectEqual('error_id on 5xx only', typeof body.error_id, statusOf(code) >= 500 ? 'string' : 'undefined')
  expectEqual('timestamp', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/.test(body.timestamp), true)
  expectEqual('nosniff', answer.headers['x-content-type-options'], 'nosniff')
  expectEqual('frames', answer.headers['x-frame-options'], 'DENY')
  expectEqual('caching', answer.headers['cache-control'], 'no-store')
  if (message !== undefined) expectEqual('message', body.message, message)
  if (LEAK.test(answer.text)) problems.push(`leaks: ${answer.text}`)
  return problems
}

import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, get as httpsGet } from 'node:https'
import type { Http, HttpRequest, HttpResponse } from './platform.ts'

const SOCKETS_PER_HOST_MAX = 8

/** Real HTTP(S) GETs over kept-alive connections. Redirects are not followed: no venue documents one. */
export function systemHttp(): Http {
  const agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_PER_HOST_MAX }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS_PER_HOST_MAX }),
  }
  return {
    get: (request) =>
      new Promise((resolve, reject) => {
        const headers = { accept: 'application/json', 'user-agent': 'marketprism', ...request.headers }
        const options = { headers }
        const onAnswer = (answer: IncomingMessage) => readAnswer(answer, request, resolve, reject)
        const outgoing = request.url.startsWith('https:')
          ? httpsGet(request.url, { ...options, agent: agents.https }, onAnswer)
          : httpGet(request.url, { ...options, agent: agents.http }, onAnswer)
        // One limit for the whole exchange, not for the silence between two packets.
        const timer = setTimeout(
          () => outgoing.destroy(new Error(`no complete answer within ${request.timeoutMs} ms`)),
          request.timeoutMs,
        )
        outgoing.on('error', (error) => {
          clearTimeout(timer)
          reject(error)
        })
        outgoing.on('close', () => clearTimeout(timer))
      }),
  }
}

function readAnswer(
  answer: IncomingMessage,
  request: HttpRequest,
  resolve: (response: HttpResponse) => void,
  reject: (error: Error) => void,
): void {
  const parts: Buffer[] = []
  let bytes = 0
  answer.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes > request.bodyBytesMax) answer.destroy(new Error(`answer is longer than ${request.bodyBytesMax} bytes`))
    else parts.push(part)
  })
  answer.on('error', reject)
  answer.on('end', () => {
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(answer.headers)) {
      if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
    }
    resolve({ status: answer.statusCode ?? 0, headers, body: Buffer.concat(parts) })
  })
}

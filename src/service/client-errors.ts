/** Answers to bytes that never became a request: too large, too slow, not HTTP. */

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../platform/platform.ts'
import { failure } from './envelope.ts'
import { JSON_TYPE, SECURITY_HEADERS } from './headers.ts'

interface RawAnswer {
  readonly status: number
  readonly title: string
  readonly message: string
}

const BAD_REQUEST: RawAnswer = { status: 400, title: 'Bad Request', message: 'This is not an HTTP request.' }

const ANSWERS: Readonly<Record<string, RawAnswer>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    title: 'Request Header Fields Too Large',
    message: 'The request line and headers may have 8192 bytes.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, title: 'Payload Too Large', message: 'The request is too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, title: 'Request Timeout', message: 'The request came too slowly.' },
}

/** A `clientError` handler. `onAnswer` is told the status of each answer that it gives. */
export function clientErrorHandler(clock: Clock, lingerMs: number, onAnswer: (status: number) => void) {
  const answered = new WeakSet<Socket>()
  return (error: Error & { readonly code?: string | undefined }, socket: Socket): void => {
    if (answered.has(socket)) return
    answered.add(socket)
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswerRunning(socket)) {
      socket.destroy()
      return
    }
    const answer = ANSWERS[error.code ?? ''] ?? BAD_REQUEST
    onAnswer(answer.status)
    sendRaw(socket, answer, clock, lingerMs)
  }
}

/** Answers a connection that has no response object, and closes it. */
export function refuseRaw(socket: Duplex, message: string, clock: Clock, lingerMs: number): void {
  sendRaw(socket, { ...BAD_REQUEST, message }, clock, lingerMs)
}

/** What else the client sends is thrown away for a moment: closing at once would reset the connection under its answer. */
function sendRaw(socket: Duplex, { status, title, message }: RawAnswer, clock: Clock, lingerMs: number): void {
  const body = JSON.stringify(failure('INVALID_PARAMETERS', message, clock.nowUs()))
  const headers = { ...SECURITY_HEADERS, 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(body) }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('')}connection: close\r\n\r\n${body}`)
  socket.resume()
  const cancel = clock.after(lingerMs, () => socket.destroy())
  socket.once('close', cancel)
}

/** Node keeps the response that it is writing on the socket; a second one behind half of it would be garbage. */
function isAnswerRunning(socket: Socket): boolean {
  const { _httpMessage: response } = socket as Socket & { readonly _httpMessage?: { readonly headersSent: boolean } }
  return response?.headersSent === true
}

/** Asks the service. Addresses are relative to the page, so that it also works behind a path of a proxy. */

import { remember, remembered } from './memory.ts'

const TIMEOUT_MS = 8_000
const TOKEN_KEY = 'marketprism.token'

export type Answer<Data> =
  | { readonly kind: 'answered'; readonly data: Data; readonly serviceMs: number }
  /** The service says no; `code` is its error code. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string }
  | { readonly kind: 'unreachable' }

export class Api {
  #token = remembered('sessionStorage', TOKEN_KEY)

  /** Kept until the tab is closed. */
  setToken(token: string): void {
    this.#token = token
    remember('sessionStorage', TOKEN_KEY, token)
  }

  get token(): string | null {
    return this.#token
  }

  /** `data` of an answer in the envelope; the whole body of one without. Never rejects. */
  async get<Data>(path: string): Promise<Answer<Data>> {
    try {
      const headers = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }
      const response = await fetch(path, { headers, cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) })
      return answerOf<Data>(response.status, (await response.json()) as Body<Data>)
    } catch {
      return { kind: 'unreachable' }
    }
  }
}

interface Body<Data> {
  readonly status: string
  readonly data?: Data
  readonly timestamp: string
  readonly error_code?: string
  readonly message?: string
}

function answerOf<Data>(status: number, body: Body<Data>): Answer<Data> {
  if (body.status === 'error') {
    return { kind: 'refused', status, code: body.error_code ?? '', message: body.message ?? '' }
  }
  const data = body.status === 'success' ? (body.data as Data) : (body as unknown as Data)
  return { kind: 'answered', data, serviceMs: Date.parse(body.timestamp) }
}

/** The address of the stream, beside the page. */
export function streamUrl(): string {
  const url = new URL('api/v1/stream', document.baseURI)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}

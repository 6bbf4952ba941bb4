/** The network between processes and simulated venues: sockets and HTTP in memory, with latency and its own faults. */

import type { Http, HttpRequest, HttpResponse, Net, Random } from '../../platform/platform.ts'
import type { FrameFate, SimExchange, SimResponse } from '../exchange.ts'
import type { FaultPlan } from '../faults.ts'
import { createPeer, type ServerPeer } from '../peer.ts'
import { spoiltBody } from '../tamper.ts'
import { virtualClock } from './clock.ts'
import { VirtualConnection } from './connection.ts'
import type { Scope, VirtualLoop } from './loop.ts'

/** What happens to those who connect to a venue. */
export type DialFault =
  | { readonly kind: 'refused' }
  | { readonly kind: 'blackhole' }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'slow'; readonly ms: number }
  /** It opens, and is reset after `ms`. */
  | { readonly kind: 'flapping'; readonly ms: number }

/** One venue on the network. Its hosts are `<id>.sim`, `<id>-2.sim`, … */
export interface Host {
  readonly id: string
  readonly exchange: SimExchange
  dial: DialFault | undefined
  /** Nothing gets through to it, requests included. */
  isUnreachable: boolean
}

export interface OpenConnection {
  readonly id: number
  readonly venue: string
  readonly peer: ServerPeer
  readonly link: VirtualConnection
}

export interface NetworkParts {
  readonly loop: VirtualLoop
  readonly random: Random
  readonly serverScope: Scope
  readonly hosts: ReadonlyMap<string, Host>
  readonly faults: FaultPlan
  /** `isOurs`: the client ended it. */
  onState(venue: string, connection: number, state: 'open' | 'closed', isOurs: boolean): void
  /** Someone connects. `endpoint`: the path. */
  onDial(venue: string, connection: number, endpoint: string): void
  onFrame(venue: string, connection: number, channel: string, symbol: string, fate: FrameFate): void
  onSubscribed(venue: string, connection: number, channel: string, symbol: string, isOn: boolean): void
  onRequest(venue: string, query: URLSearchParams): void
  /** A client has said nothing on an open connection for so long that what lies between has forgotten it. */
  onForgotten(venue: string): void
}

/** The address that all processes share. */
const CLIENT = '10.0.0.1'
const LATENCY_MS = { least: 2, span: 60, jitter: 40 }
const BLACKHOLE: DialFault = { kind: 'blackhole' }
/** Routers and balancers forget a connection on which the client is silent; the strictest do it after this. */
const FORGOTTEN_MS = 30_000
const HOST = /^([a-z-]+?)(?:-\d+)?\.sim$/

export class VirtualNetwork {
  readonly #parts: NetworkParts
  readonly #open = new Map<number, OpenConnection>()
  #lastId = 0

  constructor(parts: NetworkParts) {
    this.#parts = parts
  }

  /** Connections that the client has not closed, the oldest first. */
  connections(venue?: string): OpenConnection[] {
    return [...this.#open.values()].filter((connection) => venue === undefined || connection.venue === venue)
  }

  /** The client has not closed it. */
  has(connection: number): boolean {
    return this.#open.has(connection)
  }

  /** Bytes do not pass on it. */
  isCut(connection: number): boolean {
    return this.#open.get(connection)?.link.isCut === true
  }

  net(scope: Scope): Net {
    return {
      connect: (options, handlers) => {
        const { loop, random, serverScope } = this.#parts
        const id = ++this.#lastId
        const url = new URL(options.url)
        const host = this.#host(url)
        const connection = new VirtualConnection({
          loop,
          random,
          clientScope: scope,
          serverScope,
          options,
          handlers,
          latencyMs: this.#latencyMs(),
          onState: (state, isOurs = false) => {
            if (state === 'closed') this.#open.delete(id)
            this.#parts.onState(host?.id ?? '', id, state, isOurs)
          },
        })
        this.#parts.onDial(host?.id ?? '', id, url.pathname)
        this.#dial(id, url, host, connection, options.connectTimeoutMs)
        return connection.client
      },
    }
  }

  http(scope: Scope): Http {
    return { get: (request) => this.#get(scope, request) }
  }

  /** All sockets of a process that was killed. */
  abandon(scope: Scope): void {
    for (const { link } of this.connections()) if (link.clientScope === scope) link.abandon()
  }

  #host({ hostname }: URL): Host | undefined {
    return this.#parts.hosts.get(HOST.exec(hostname)?.[1] ?? '')
  }

  #latencyMs(): { base: number; jitter: number } {
    const { random } = this.#parts
    return { base: LATENCY_MS.least + random() ** 3 * LATENCY_MS.span, jitter: LATENCY_MS.jitter }
  }

  #dial(id: number, url: URL, host: Host | undefined, link: VirtualConnection, timeoutMs: number): void {
    const { loop, serverScope } = this.#parts
    const dial = host?.isUnreachable ? BLACKHOLE : host?.dial
    if (host === undefined) link.fail('getaddrinfo ENOTFOUND')
    else if (dial?.kind === 'refused') link.fail('connect ECONNREFUSED')
    else if (dial?.kind === 'status') link.fail(`Unexpected server response: ${dial.status}`)
    else {
      const giveUp = loop.at(loop.nowMs + timeoutMs, link.clientScope, () =>
        link.fail('Opening handshake has timed out'),
      )
      if (dial?.kind === 'blackhole') return
      const delayMs = 3 * this.#latencyMs().base + (dial?.kind === 'slow' ? dial.ms : 0)
      loop.at(loop.nowMs + delayMs, serverScope, () => {
        if (link.isClientClosed || !link.clientScope.isAlive) return
        giveUp.action = undefined
        this.#accept(id, url, host, link)
        if (dial?.kind === 'flapping') loop.at(loop.nowMs + dial.ms, serverScope, () => link.reset())
      })
    }
  }

  #accept(id: number, url: URL, host: Host, link: VirtualConnection): void {
    const { loop, serverScope, faults, onFrame, onSubscribed } = this.#parts
    const peer = createPeer({
      id,
      venue: host.id,
      client: CLIENT,
      path: url.pathname,
      query: url.searchParams,
      faults,
      clock: virtualClock(loop, serverScope),
      reset: () => link.reset(),
      onSent: () => {},
      onSubscribed: (channel, symbol, isOn) => onSubscribed(host.id, id, channel, symbol, isOn),
      onFate: (channel, symbol, fate) => {
        // What a venue still sends to a client that has gone is no loss of data.
        if (!link.isClientClosed || link.isLosing) onFrame(host.id, id, channel, symbol, fate)
      },
    })
    const session = host.exchange.connect(peer)
    if (session === undefined) link.fail('Unexpected server response: 404')
    else {
      this.#open.set(id, { id, venue: host.id, peer, link })
      link.accept(peer, session)
      this.#watch(host.id, link)
    }
  }

  /** A client that stands still cannot speak. */
  #watch(venue: string, link: VirtualConnection): void {
    const { loop, serverScope, onForgotten } = this.#parts
    loop.at(link.spokeMs + FORGOTTEN_MS, serverScope, () => {
      if (link.isClientClosed || !link.isServerOpen || !link.clientScope.isAlive) return
      const { held, wokenMs } = link.clientScope
      link.spokeMs = held === undefined ? Math.max(link.spokeMs, wokenMs) : loop.nowMs
      if (loop.nowMs - link.spokeMs < FORGOTTEN_MS) {
        this.#watch(venue, link)
        return
      }
      onForgotten(venue)
      link.reset()
    })
  }

  #get(scope: Scope, request: HttpRequest): Promise<HttpResponse> {
    const { loop } = this.#parts
    return new Promise((resolve, reject) => {
      const { base } = this.#latencyMs()
      let isOver = false
      const end = (delayMs: number, act: () => void) =>
        loop.at(
          loop.nowMs + delayMs,
          scope,
          () => {
            if (isOver) return
            isOver = true
            act()
          },
          true,
        )
      const timeout = end(request.timeoutMs, () =>
        reject(new Error(`no complete answer within ${request.timeoutMs} ms`)),
      )
      const fail = (message: string) =>
        end(base, () => {
          timeout.action = undefined
          reject(new Error(message))
        })
      this.#ask(request, base, fail, (response, delayMs) =>
        end(base + delayMs, () => {
          timeout.action = undefined
          if (response.body.length > request.bodyBytesMax) reject(new Error('answer is too long'))
          else resolve(response)
        }),
      )
    })
  }

  /** The request arrives at the venue, which answers, or not. */
  #ask(
    request: HttpRequest,
    latencyMs: number,
    fail: (message: string) => void,
    answer: (response: HttpResponse, delayMs: number) => void,
  ): void {
    const { loop, serverScope, faults, onRequest } = this.#parts
    const url = new URL(request.url)
    const host = this.#host(url)
    if (host === undefined) return void fail('getaddrinfo ENOTFOUND')
    if (host.isUnreachable) return
    loop.at(loop.nowMs + latencyMs, serverScope, () => {
      const { pathname: path, searchParams: query } = url
      onRequest(host.id, query)
      const fault = faults.request(host.id, `${path}?${query}`)
      if (fault?.kind === 'rest-timeout') return
      if (fault?.kind === 'rest-reset') {
        fail('read ECONNRESET')
        return
      }
      if (fault?.kind === 'rest-status') {
        const headers = fault.retry_after === undefined ? undefined : { 'Retry-After': String(fault.retry_after) }
        answer(httpResponse({ status: fault.status, ...(headers && { headers }), body: 'injected fault' }), 0)
        return
      }
      const made = host.exchange.rest({ method: 'GET', path, query, headers: {}, client: CLIENT })
      if (made instanceof Promise) throw new TypeError('a venue in virtual time must answer at once')
      if (fault?.kind === 'rest-delay') answer(httpResponse(made), fault.ms)
      else answer(httpResponse(fault ? { ...made, body: spoiltBody(made.body, fault) } : made), 0)
    })
  }
}

const httpResponse = ({ status, headers = {}, body }: SimResponse): HttpResponse => ({
  status,
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  body: Buffer.from(body),
})

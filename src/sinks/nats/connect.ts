/** A connection to the server: one attempt, with what it needs to know us. Reconnecting is the pump's. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  type TlsOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node'
import { errorText } from '../../model/errors.ts'
import type { Files } from '../../platform/platform.ts'
import type { NatsAuth, NatsSinkOptions, NatsTls } from './options.ts'

const DEFAULT_PORT = '4222'

/** Errors: rejects with what was tried and what went wrong, or that `signal` ended it; secrets are not in it. */
export async function connectNats(
  options: NatsSinkOptions,
  files: Files,
  signal: AbortSignal = new AbortController().signal,
): Promise<NatsConnection> {
  const urls = options.servers.map((server) => new URL(server))
  const servers = urls.map(({ hostname, port }) => `${hostname}:${port || DEFAULT_PORT}`)
  const isTls = options.tls !== undefined || urls.some(({ protocol }) => protocol === 'tls:')
  try {
    const how: ConnectionOptions = {
      servers,
      name: 'marketprism',
      // What the stream holds is looked up after every break, so a connection that ends stays ended.
      reconnect: false,
      ignoreClusterUpdates: true,
      timeout: options.connectTimeoutMs,
      pingInterval: options.pingMs,
      maxPingOut: 2,
      inboxPrefix: options.inboxPrefix,
      noAsyncTraces: true,
      ...(isTls && { tls: await tlsOptions(options.tls ?? {}, files) }),
      ...(await authentication(authOf(options.auth, urls), files)),
    }
    return await dial(how, signal)
  } catch (error) {
    throw new Error(`cannot connect to NATS at ${servers.join(', ')}: ${errorText(error)}`, { cause: error })
  }
}

/** What stands in the options, or else in the first URL that has something. */
function authOf(auth: NatsAuth, urls: readonly URL[]): NatsAuth {
  if (auth.token ?? auth.user ?? auth.nkeySeed ?? auth.credsFile) return auth
  const url = urls.find(({ username }) => username !== '')
  if (url === undefined) return {}
  const user = decodeURIComponent(url.username)
  return url.password === '' ? { token: user } : { user, password: decodeURIComponent(url.password) }
}

async function authentication(auth: NatsAuth, files: Files): Promise<Pick<ConnectionOptions, 'authenticator'>> {
  const { token, user, password, nkeySeed, credsFile } = auth
  if (token !== undefined) return { authenticator: tokenAuthenticator(token) }
  if (user !== undefined) return { authenticator: usernamePasswordAuthenticator(user, password) }
  if (nkeySeed !== undefined) return { authenticator: nkeyAuthenticator(Buffer.from(nkeySeed.trim())) }
  if (credsFile === undefined) return {}
  return { authenticator: credsAuthenticator(Buffer.from(await read(files, credsFile))) }
}

async function tlsOptions({ caFile, certFile, keyFile, isFirst }: NatsTls, files: Files): Promise<TlsOptions> {
  return {
    ...(caFile !== undefined && { ca: await read(files, caFile) }),
    ...(certFile !== undefined && { cert: await read(files, certFile) }),
    ...(keyFile !== undefined && { key: await read(files, keyFile) }),
    ...(isFirst === true && { handshakeFirst: true }),
  }
}

async function read(files: Files, path: string): Promise<string> {
  const text = await files.read(path)
  if (text === undefined) throw new Error(`there is no file ${path}`)
  return text
}

/** Calls `fail` when the connection ends or is of no use any more; perhaps more than once. */
export function watch(connection: NatsConnection, fail: (error: Error) => void): void {
  const onStatus = async (): Promise<void> => {
    for await (const status of connection.status()) {
      // The library would wait for its socket here, which a frozen server blocks.
      if (status.type === 'staleConnection') fail(new Error('NATS does not answer pings'))
      if (status.type === 'error') fail(new Error(`NATS reports: ${errorText(status.error)}`))
    }
  }
  onStatus().catch((error: unknown) => fail(new Error(errorText(error))))
  connection.closed().then((error) => {
    fail(new Error(`the connection to NATS has ended: ${error ? errorText(error) : 'closed'}`))
  })
}

/**
 * The library leaves the socket open when a server takes the connection and then says nothing (it is frozen, or a proxy
 * stands before it). We would keep one more with every attempt, so those of a failed one are ended here.
 */
async function dial(options: ConnectionOptions, signal: AbortSignal): Promise<NatsConnection> {
  const attempt = new AsyncLocalStorage<true>()
  const sockets: { destroy(): void }[] = []
  const onSocket = (message: unknown): void => {
    if (attempt.getStore()) sockets.push((message as { socket: { destroy(): void } }).socket)
  }
  subscribe('net.client.socket', onSocket)
  try {
    const connecting = attempt.run(true, () => connect(options))
    return await Promise.race([connecting, abortOf(signal)])
  } catch (error) {
    for (const socket of sockets) socket.destroy()
    throw error
  } finally {
    unsubscribe('net.client.socket', onSocket)
    // Once there is one, every promise of the process pays for it.
    attempt.disable()
  }
}

/** Rejects with what the signal is aborted with; never resolves. */
export function abortOf(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  aborted.catch(() => {})
  return aborted
}

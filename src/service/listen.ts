import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PrismError } from '../model/errors.ts'

export interface Address {
  readonly host: string
  readonly port: number
  readonly url: string
}

/** Connections that wait to be accepted; of those beyond it the system drops the first packet, and they try again a second later. */
const BACKLOG = 4_096

const WILDCARDS = new Set(['0.0.0.0', '::'])

/**
 * Starts listening and says where.
 * Errors: PORT_IN_USE; CONFIG_INVALID for an address or a port that this process cannot have.
 */
export async function listenOn(server: Server, host: string, port: number): Promise<Address> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, backlog: BACKLOG }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    throw listenError(error, host, port)
  }
  const { port: actual } = server.address() as AddressInfo
  const name = WILDCARDS.has(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return { host, port: actual, url: `http://${name}:${actual}` }
}

function listenError(error: unknown, host: string, port: number): PrismError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const context = { host, port, cause: code }
  const options = { cause: error }
  if (code === 'EADDRINUSE') {
    const message = `Port ${port} on ${host} is in use. Stop the other program, or set API_PORT to a free port.`
    return new PrismError('PORT_IN_USE', message, context, options)
  }
  const message =
    code === 'EACCES'
      ? `Port ${port} on ${host} needs privileges. Set API_PORT to a port above 1023.`
      : `Cannot listen on ${host}:${port} (${code || 'unknown cause'}). Set API_HOST to an address of this machine.`
  return new PrismError('CONFIG_INVALID', message, context, options)
}

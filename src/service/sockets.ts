/** The open connections of the server, and who makes room for whom. */

import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { HttpLimits } from './limits.ts'
import type { HttpMetrics } from './ports.ts'

interface Use {
  requests: number
  /** Requests without a complete answer, and an upgrade, which has none. */
  running: number
}

/** Those that have waited longest come first. */
export type Sockets = ReadonlyMap<Duplex, Readonly<Use>>

/**
 * Beyond `connectionsMax` whoever has waited longest without a whole request makes room: connections that nobody uses
 * cannot shut out those who ask, health probes above all. Where all are in use, a few more are kept for probes.
 *
 * A connection ends with its last allowed request; Node's own `maxRequestsPerSocket` would answer pipelined requests
 * beyond it with empty 503s for as long as they come.
 */
export function trackSockets(
  server: Server,
  connectionsMax: number,
  { connectionsReserved, requestsPerSocketMax }: Pick<HttpLimits, 'connectionsReserved' | 'requestsPerSocketMax'>,
  metrics: Pick<HttpMetrics, 'rejected'>,
): Sockets {
  const uses = new Map<Duplex, Use>()
  server.maxConnections = connectionsMax + connectionsReserved
  server.on('connection', (socket: Socket) => {
    if (uses.size >= connectionsMax) makeRoom(uses, metrics)
    uses.set(socket, { requests: 0, running: 0 })
    socket.once('close', () => uses.delete(socket))
  })
  server.prependListener('request', ({ socket }, response: ServerResponse) => {
    const use = uses.get(socket)
    if (use === undefined) return
    use.requests++
    use.running++
    if (use.requests >= requestsPerSocketMax) response.setHeader('connection', 'close')
    response.once('close', () => {
      use.running--
      // It waits from now on.
      if (uses.delete(socket)) uses.set(socket, use)
    })
  })
  server.prependListener('upgrade', (_request, socket: Duplex) => {
    const use = uses.get(socket)
    if (use !== undefined) use.running++
  })
  server.on('drop', () => metrics.rejected(503))
  return uses
}

function makeRoom(uses: Map<Duplex, Use>, metrics: Pick<HttpMetrics, 'rejected'>): void {
  for (const [socket, { running }] of uses) {
    if (running > 0) continue
    // Its end is told later only.
    uses.delete(socket)
    socket.destroy()
    metrics.rejected(503)
    return
  }
}

/** Where a request may carry its token. */

import type { IncomingHttpHeaders } from 'node:http'

/** Offered among the protocols of a WebSocket handshake, with the token in base64url behind it. */
export const BEARER_PROTOCOL = 'bearer.'

/**
 * The `Authorization` of a request. Browsers cannot send that header with a WebSocket, so there the token may be one of the
 * protocols that are offered.
 */
export function authorizationOf(headers: IncomingHttpHeaders): string | undefined {
  if (headers.authorization !== undefined) return headers.authorization
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim())
  const bearer = offered?.find((name) => name.startsWith(BEARER_PROTOCOL))
  return bearer && `Bearer ${Buffer.from(bearer.slice(BEARER_PROTOCOL.length), 'base64url').toString()}`
}

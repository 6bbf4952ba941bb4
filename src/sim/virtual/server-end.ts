/** A connection in memory as the venue's end of it sees it. */

import type { PeerSocket } from '../peer-socket.ts'
import type { VirtualConnection } from './connection.ts'

export const serverEnd = (connection: VirtualConnection): PeerSocket => ({
  get isOpen() {
    return connection.isServerOpen
  },
  bufferedBytes: 0,
  send: (data, arrived) => connection.send(data, arrived),
  ping: (payload) => connection.pingClient(payload),
  pong: () => connection.pongClient(),
  close: (code, reason) => connection.closeByServer(code, reason),
})

import { WebSocket } from 'ws'
import type { PeerSocket } from './peer-socket.ts'

/** The server's end of a real WebSocket. */
export const wsSocket = (socket: WebSocket): PeerSocket => ({
  get isOpen() {
    return socket.readyState === WebSocket.OPEN
  },
  get bufferedBytes() {
    return socket.bufferedAmount
  },
  send: (data) => socket.send(data, { binary: false }),
  ping: (payload) => socket.ping(payload),
  pong: (payload) => socket.pong(payload),
  close: (code, reason) => socket.close(code, reason),
})

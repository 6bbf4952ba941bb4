/** What a simulated venue needs of a transport: a real WebSocket, or one in memory. */
export interface PeerSocket {
  readonly isOpen: boolean
  /** Bytes that the client has not read yet. */
  readonly bufferedBytes: number
  /** `arrived` is called once, where the transport can tell: did the client get the frame? */
  send(data: string | Buffer, arrived?: (isDelivered: boolean) => void): void
  ping(payload: string): void
  pong(payload: Buffer): void
  close(code: number, reason: string): void
}

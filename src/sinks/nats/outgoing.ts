/** Gathers messages, so that the socket gets many at once. */

import type { Message, MessageWriter } from './message.ts'

/** As much as the server reads at once. */
const BLOCK_BYTES = 64 * 1024
const NOTHING = Buffer.alloc(0)

export class Outgoing {
  readonly #writer: MessageWriter
  readonly #send: (bytes: Uint8Array) => void
  /** The connection keeps what it was given until it is on the wire, so the rest of a block is used, and never its start again. */
  #block: Buffer = NOTHING
  #from = 0
  #end = 0

  constructor(writer: MessageWriter, send: (bytes: Uint8Array) => void) {
    this.#writer = writer
    this.#send = send
  }

  add(message: Message, sending: number): void {
    const room = this.#writer.room(message)
    if (this.#end + room > this.#block.length) {
      this.flush()
      this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, room))
      this.#from = 0
      this.#end = 0
    }
    this.#end = this.#writer.write(message, sending, this.#block, this.#end)
  }

  flush(): void {
    if (this.#end === this.#from) return
    this.#send(this.#block.subarray(this.#from, this.#end))
    this.#from = this.#end
  }
}

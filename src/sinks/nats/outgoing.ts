/**
 * Gathers messages, so that the socket gets many at once, and decides which of them ask for an answer: the last of a run
 * speaks for all of it, since the sequences tell how many were stored (sharing.ts). An answer to each message costs the
 * server, and us, a good part of what the message itself does.
 */

import type { MessageWriter } from './message.ts'
import type { Pending } from './window.ts'

/** As much as the server reads at once. */
const BLOCK_BYTES = 64 * 1024
/** A run has no more messages: its answer lets as many into the window again. */
export const RUN_MAX = 64
const NOTHING = Buffer.alloc(0)

interface Next {
  readonly pending: Pending
  readonly sending: number
  /** It asks, whatever comes behind it. */
  readonly isAlone: boolean
}

export class Outgoing {
  readonly #writer: MessageWriter
  readonly #send: (bytes: Uint8Array) => void
  /** The connection keeps what it was given until it is on the wire, so the rest of a block is used, and never its start again. */
  #block: Buffer = NOTHING
  #from = 0
  #end = 0
  /** Not written yet: whether it asks depends on what comes behind it. */
  #next: Next | undefined
  /** Messages of its run that were written. */
  #run = 0

  constructor(writer: MessageWriter, send: (bytes: Uint8Array) => void) {
    this.#writer = writer
    this.#send = send
  }

  /** `isAlone`: it does not share its answer. */
  add(pending: Pending, sending: number, isAlone: boolean): void {
    this.#writeNext(isAlone || this.#run + 1 >= RUN_MAX)
    this.#next = { pending, sending, isAlone }
  }

  /** All of it is sent, and the last asks. */
  flush(): void {
    this.#writeNext(true)
    this.#pass()
  }

  #writeNext(isLast: boolean): void {
    if (this.#next === undefined) return
    const { pending, sending, isAlone } = this.#next
    const { message } = pending
    const isAsking = isLast || isAlone
    this.#next = undefined
    this.#run = isAsking ? 0 : this.#run + 1
    pending.isAsking = isAsking
    const room = this.#writer.room(message)
    if (this.#end + room > this.#block.length) {
      this.#pass()
      this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, room))
      this.#from = 0
      this.#end = 0
    }
    this.#end = this.#writer.write(message, isAsking ? sending : undefined, this.#block, this.#end)
  }

  #pass(): void {
    if (this.#end === this.#from) return
    this.#send(this.#block.subarray(this.#from, this.#end))
    this.#from = this.#end
  }
}

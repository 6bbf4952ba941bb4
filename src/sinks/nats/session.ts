/** One connection from open to close: what is published on it, when it fails, and what is certain of the stream meanwhile. */

import type { NatsConnection } from '@nats-io/transport-node'
import type { Clock } from '../../platform/platform.ts'
import type { Checkpoint } from './checkpoint.ts'
import { watch } from './connect.ts'
import type { Publisher } from './publisher.ts'

const CHECKPOINT_MS = 1000

export interface SessionPorts {
  readonly connection: NatsConnection
  readonly publisher: Publisher
  readonly clock: Clock
  /** Names the stream; the numbers are the session's. */
  readonly base: Pick<Checkpoint, 'logId' | 'stream' | 'prefix' | 'created'>
  /** What is certain at the beginning; `undefined`: nothing. */
  readonly checkpoint: Checkpoint | undefined
  /** The newest sequence of the stream at the beginning. */
  readonly lastSeq: number
  /** The highest number that stood in the stream at the beginning. */
  readonly highestLsn: number
  /** Errors: rejects; a checkpoint is a convenience. */
  save(checkpoint: Checkpoint): Promise<void>
}

export class Session {
  readonly publisher: Publisher
  readonly #ports: SessionPorts
  readonly #stopTicks: () => void
  #certain: Checkpoint | undefined
  #saved = ''
  #saving: Promise<void> = Promise.resolve()
  /** Moves the floor when all that was sent up to then is acknowledged: what is sent later stands behind `floorSeq`. */
  #mark: { readonly lsn: number; readonly floorSeq: number } | undefined

  constructor(ports: SessionPorts) {
    const { connection, publisher, clock, checkpoint } = ports
    this.publisher = publisher
    this.#ports = ports
    this.#certain = checkpoint
    this.#stopTicks = clock.every(CHECKPOINT_MS, () => this.#tick())
    watch(connection, (error) => publisher.fail(error))
  }

  /** Ends what is under way with `reason`. Yields what is certain of the stream. Never rejects. */
  async close(reason: Error): Promise<Checkpoint | undefined> {
    this.#stopTicks()
    this.#advance()
    this.#advance()
    this.publisher.fail(reason)
    await this.#ports.connection.close().catch(() => {})
    this.#save()
    await this.#saving
    return this.#certain
  }

  #tick(): void {
    this.#advance()
    this.#save()
  }

  #advance(): void {
    const { sentLsn, settledLsn, ackedSeq, ackedLsn } = this.publisher
    const { base, lastSeq, highestLsn } = this.#ports
    const mark = this.#mark
    const isReached = mark !== undefined && settledLsn >= mark.lsn
    const floorSeq = isReached ? mark.floorSeq : this.#certain?.floorSeq
    if (floorSeq !== undefined) {
      const lsn = Math.max(this.#certain?.lsn ?? 0, settledLsn)
      this.#certain = { ...base, lsn, floorSeq, ackedSeq, ackedLsn }
    }
    if (isReached) this.#mark = undefined
    // Before the end of what stood there at first, further records lie in front of any floor.
    if (sentLsn > 0 && sentLsn >= highestLsn) this.#mark ??= { lsn: sentLsn, floorSeq: Math.max(ackedSeq, lastSeq) }
  }

  #save(): void {
    const certain = this.#certain
    const text = JSON.stringify(certain)
    if (certain === undefined || text === this.#saved) return
    this.#saved = text
    this.#saving = this.#saving.then(() => this.#ports.save(certain)).catch(() => {})
  }
}

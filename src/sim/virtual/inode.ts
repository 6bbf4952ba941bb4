import type { Random } from '../../platform/platform.ts'

/** A part of a file that was written at once. After a failed sync nobody knows what of it is on disk, also after a good one. */
interface Piece {
  readonly bytes: Buffer
  state: 'written' | 'synced' | 'doubtful'
}

/** What a file consists of, whatever it is called. */
export class Inode {
  /** On disk for certain, in parts. */
  #durable: Buffer[]
  /** What follows, oldest first. */
  #tail: Piece[] = []
  size: number
  /** How many there were: a sync that begins now reaches so far. */
  writes = 0

  constructor(bytes: Buffer) {
    this.#durable = [bytes]
    this.size = bytes.length
  }

  read(): Buffer {
    if (this.#durable.length > 1) this.#durable = [Buffer.concat(this.#durable)]
    return Buffer.concat([...this.#durable, ...this.#tail.map(({ bytes }) => bytes)])
  }

  write(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#tail.push({ bytes: Buffer.from(bytes), state: 'written' })
    this.size += bytes.length
    this.writes++
  }

  /** The first `writes` writes are on disk, or in doubt from now on. The result is what became durable. */
  sync(writes: number, hasFailed: boolean): Buffer {
    const behind = Math.max(0, this.writes - writes)
    const covered = this.#tail.slice(0, Math.max(0, this.#tail.length - behind))
    const fresh = covered.filter(({ state }) => state === 'written')
    for (const piece of fresh) piece.state = hasFailed ? 'doubtful' : 'synced'
    while (this.#tail[0]?.state === 'synced') this.#durable.push(this.#tail.shift()?.bytes as Buffer)
    return Buffer.concat(hasFailed ? [] : fresh.map(({ bytes }) => bytes))
  }

  /** Cuts it, and syncs it. */
  truncate(size: number): void {
    const durable = Buffer.concat(this.#durable)
    this.#durable = [durable.subarray(0, size)]
    let left = size - durable.length
    this.#tail = this.#tail.flatMap(({ bytes, state }) => {
      const kept = bytes.subarray(0, Math.max(0, left))
      left -= bytes.length
      return kept.length === 0 ? [] : [{ bytes: kept, state }]
    })
    this.size = this.read().length
    this.sync(this.writes, false)
  }

  losePower(random: Random): void {
    const parts = [...this.#durable, ...survivors(this.#tail, random)]
    this.#durable = [Buffer.concat(parts)]
    this.#tail = []
    this.size = this.read().length
  }
}

function survivors(tail: readonly Piece[], random: Random): Buffer[] {
  const parts: Buffer[] = []
  for (const { bytes, state } of tail) {
    if (state === 'synced') parts.push(bytes)
    else if (state === 'doubtful') parts.push(random() < 0.5 ? bytes : Buffer.alloc(bytes.length))
    else if (random() < 0.5) parts.push(bytes)
    else return [...parts, bytes.subarray(0, Math.floor(random() * (bytes.length + 1)))]
  }
  return parts
}

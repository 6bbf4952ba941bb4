/** A machine with a simulated disk, on which one process after another keeps a lake. */

import type { Platform, Random } from '../../../src/platform/platform.ts'
import { seededRandom } from '../../../src/platform/random.ts'
import { virtualClock } from '../../../src/sim/virtual/clock.ts'
import { VirtualDisk } from '../../../src/sim/virtual/disk.ts'
import { Scope, VirtualLoop } from '../../../src/sim/virtual/loop.ts'
import type { LakeSinkOptions } from '../../../src/sinks/lake/options.ts'
import type { Batch } from '../../../src/sinks/sink.ts'
import { type Lake, LOG_ID, lakeOn } from './rig.ts'

export const LAKE = '/data/lake'
/** Nothing takes so long. */
const LIMIT_MS = 60_000

export class Machine {
  readonly loop = new VirtualLoop()
  readonly disk: VirtualDisk
  logId = LOG_ID
  readonly #options: Partial<LakeSinkOptions>
  #scope = new Scope()
  #lake: Lake | undefined

  constructor(random: Random = seededRandom(1), options: Partial<LakeSinkOptions> = {}) {
    this.disk = new VirtualDisk(this.loop, random)
    this.#options = options
  }

  get lake(): Lake {
    if (this.#lake === undefined) throw new Error('no process runs')
    return this.#lake
  }

  /** The next process; the one before, if any, is dead. */
  open(isOver = () => false): Promise<void> {
    this.kill()
    this.#scope = new Scope()
    const platform = { clock: virtualClock(this.loop, this.#scope), files: this.disk.files(this.#scope) }
    this.#lake = lakeOn(platform as Platform, { dir: LAKE, ...this.#options }, this.logId)
    return this.#wait(this.#lake.sink.open(), isOver)
  }

  write(batch: Batch, isOver = () => false): Promise<void> {
    return this.#wait(this.lake.sink.write(batch), isOver)
  }

  kill(): void {
    this.#scope.isAlive = false
  }

  /** Files that are not in their place. */
  get unfinished(): string[] {
    return this.disk.paths.filter((path) => path.startsWith(`${LAKE}/.`))
  }

  /** Lets time pass until it is settled, or the process is dead. */
  async #wait(promise: Promise<void>, isOver: () => boolean): Promise<void> {
    let isSettled = false
    const settled = () => {
      isSettled = true
    }
    promise.then(settled, settled)
    const endMs = this.loop.nowMs + LIMIT_MS
    while (!isSettled && !isOver()) {
      if (this.loop.nowMs >= endMs) throw new Error('it never ends')
      await this.loop.run(this.loop.nowMs + 0.5)
    }
    if (isSettled) await promise
  }
}

/** What a reader can see, by path. */
export const files = (disk: VirtualDisk): Map<string, string> =>
  new Map(
    disk.paths
      .filter((path) => path.endsWith('.parquet'))
      .sort()
      .map((path) => [path, disk.bytes(path)?.toString('latin1') ?? '']),
  )

/** Begins and ends as Parquet does, and its end says where its metadata begin. */
export function isWhole(text: string): boolean {
  const bytes = Buffer.from(text, 'latin1')
  if (!text.startsWith('PAR1') || !text.endsWith('PAR1') || bytes.length < 12) return false
  return bytes.readUInt32LE(bytes.length - 8) < bytes.length - 12
}

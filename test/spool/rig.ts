/** A machine with a simulated disk on which one process after another opens the log, and a memory of what was appended. */

import { seededRandom } from '../../src/platform/random.ts'
import { virtualClock } from '../../src/sim/virtual/clock.ts'
import { VirtualDisk } from '../../src/sim/virtual/disk.ts'
import { Scope, VirtualLoop } from '../../src/sim/virtual/loop.ts'
import { VirtualProcesses } from '../../src/sim/virtual/processes.ts'
import type { LogRecord } from '../../src/spool/frame.ts'
import type { Loss } from '../../src/spool/loss.ts'
import { openSpool } from '../../src/spool/open.ts'
import { SPOOL_LIMITS, type SpoolLimits, type SpoolOptions } from '../../src/spool/options.ts'
import type { Spool } from '../../src/spool/spool.ts'

export const FOLDER = '/data/spool'
export const TIME_US = 1_795_392_000_000_000
export const SMALL: SpoolLimits = {
  ...SPOOL_LIMITS,
  segmentBytes: 4096,
  quotaBytes: 10_000_000,
  reserveBytes: 2048,
  memoryBytes: 1024 * 1024,
}

type RigOptions = Partial<Pick<SpoolOptions, 'sync' | 'whenFull' | 'sinks' | 'isNewest' | 'onGapsWaiting'>> & {
  readonly limits?: Partial<SpoolLimits>
}

export class Rig {
  readonly loop = new VirtualLoop()
  readonly disk: VirtualDisk
  readonly processes = new VirtualProcesses()
  /** Body of each record that was taken, by number; numbers are never given twice. */
  readonly appended = new Map<number, string>()
  readonly losses: Loss[] = []
  /** What else a loss leads to. */
  onLoss = (_loss: Loss): void => {}
  readonly problems: (string | undefined)[] = []
  readonly #options: RigOptions
  /** The same, for ever. */
  readonly #ever = new Map<number, string>()
  readonly #gaps = new Set<string>()
  #scope = new Scope()
  #spool: Spool | undefined
  #count = 0

  constructor(seed = 1, options: RigOptions = {}) {
    this.disk = new VirtualDisk(this.loop, seededRandom(seed))
    this.#options = options
  }

  get spool(): Spool {
    if (this.#spool === undefined) throw new Error('no process runs')
    return this.#spool
  }

  get isRunning(): boolean {
    return this.#spool !== undefined
  }

  options(scope = this.#scope): SpoolOptions {
    const { sync = 'interval', whenFull = 'evict', sinks = ['nats'], limits, ...others } = this.#options
    return {
      folder: FOLDER,
      files: this.disk.files(scope),
      clock: virtualClock(this.loop, scope),
      processes: this.processes.of(scope),
      random: seededRandom(1),
      sinks,
      sync,
      whenFull,
      limits: { ...SMALL, ...limits },
      onLoss: (loss) => {
        this.losses.push(loss)
        this.onLoss(loss)
      },
      onProblem: (problem) => void this.problems.push(problem),
      ...others,
    }
  }

  /** What another process, beside the one that may run, would open the log with. */
  nextProcess(): SpoolOptions {
    return this.options(new Scope())
  }

  /** A new process opens the log. */
  async start(): Promise<Spool> {
    this.#scope = new Scope()
    this.#spool = await this.wait(openSpool(this.options()))
    this.losses.push(...this.#spool.recovery.losses)
    return this.#spool
  }

  async stop(): Promise<void> {
    await this.wait(this.spool.close())
    this.#scope.isAlive = false
    this.#spool = undefined
  }

  kill(): void {
    this.#scope.isAlive = false
    this.#spool = undefined
  }

  losePower(): void {
    this.kill()
    this.disk.losePower()
    this.processes.boot++
  }

  run(ms: number): Promise<void> {
    return this.loop.run(this.loop.nowMs + ms)
  }

  /** Lets time pass until the promise is settled. */
  async wait<Result>(promise: Promise<Result>, limitMs = 5_000): Promise<Result> {
    let isSettled = false
    const settled = () => {
      isSettled = true
    }
    promise.then(settled, settled)
    const endMs = this.loop.nowMs + limitMs
    while (!isSettled) {
      if (this.loop.nowMs >= endMs) throw new Error(`nothing within ${limitMs} ms`)
      await this.run(0.5)
    }
    return promise
  }

  /** Appends records of about `bytes` bytes; yields the number of the last one that was taken. */
  append(count = 1, bytes = 40, stream = 'binance trade BTCUSDT', kind: 'event' | 'gap' = 'event'): number | undefined {
    let last: number | undefined
    for (let i = 0; i < count; i++) {
      const body = `${++this.#count} `.padEnd(bytes, '.')
      const lsn = this.spool.append(this.spool.stream(stream), kind, TIME_US + this.#count, Buffer.from(body))
      if (lsn === undefined) continue
      if (this.#ever.has(lsn)) throw new Error(`${lsn} was given twice`)
      this.appended.set(lsn, body)
      this.#ever.set(lsn, body)
      if (kind === 'gap') this.#gaps.add(body)
      last = lsn
    }
    return last
  }

  /** Everything that can be read from `fromLsn` on; as it was appended, or it throws. */
  async readAll(fromLsn = 1, recordsMax = 7): Promise<LogRecord[]> {
    const reader = this.spool.reader(fromLsn)
    const all: LogRecord[] = []
    for (;;) {
      const batch = await this.wait(reader.read({ recordsMax, bytesMax: 1000 }))
      if (batch.length === 0) return all
      for (const record of batch) {
        const previous = all.at(-1)?.lsn ?? fromLsn - 1
        if (record.lsn <= previous) throw new Error(`${record.lsn} was read behind ${previous}`)
        this.check(record)
        all.push(record)
      }
    }
  }

  /** Throws unless it is what was appended. Gap records can be found again behind what was evicted. */
  check({ lsn, kind, body }: LogRecord): void {
    const text = body.toString()
    const isMoved = kind === 'gap' && !this.#ever.has(lsn) && this.#gaps.has(text)
    if (this.#ever.get(lsn) !== text && !isMoved) throw new Error(`${lsn} is another record`)
  }

  /** Paths of the segments, in order. */
  get segmentPaths(): string[] {
    return this.disk.paths.filter((path) => path.startsWith(FOLDER) && path.endsWith('.log')).sort()
  }
}

/** Whole numbers from `first` to `last`. */
export const numbers = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)

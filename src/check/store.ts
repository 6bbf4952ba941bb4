/** A store in memory that survives the process, fails on demand, and can lose its newest part; in the ways in which real ones differ. */

import { sleep } from '../platform/clock.ts'
import type { Clock, Random } from '../platform/platform.ts'
import type { Batch, Held, Sink, SinkTraits } from '../sinks/sink.ts'

/** `told`: it knows the numbers that it holds, and a part of a batch may be stored. `token`: a batch is stored whole, once. */
export type Style = 'told' | 'token'

export type StoreFault = 'refuses' | 'stores but fails' | 'does not open' | 'hangs'

/** Records that can be under way. */
const WINDOW = 1_024

export class Store {
  readonly style: Style
  /** In the order of arrival. */
  rows: { readonly lsn: number; readonly body: string }[] = []
  readonly #tokens = new Set<string>()
  #hasLost = false
  readonly #random: Random
  fault: StoreFault | undefined
  /** Share of writes that are stored and fail all the same. */
  ambiguity = 0
  /** Most writes that were under way together. */
  writesMax = 0

  constructor(style: Style, random: Random = () => 1) {
    this.style = style
    this.#random = random
  }

  /** What a process uses; another one for each. */
  sink(clock: Clock, traits: Partial<SinkTraits> = {}): Sink & { readonly traits: SinkTraits } {
    let writes = 0
    let breakOff: ((error: Error) => void)[] = []
    const isTold = this.style === 'told'
    const broken = () => new Promise<never>((_, reject) => void breakOff.push(reject))
    return {
      traits: {
        recordsMax: 8,
        bytesMax: 400,
        ageMs: 0,
        batchesMax: isTold ? 4 : 1,
        hasFixedBatches: !isTold,
        ...traits,
      },
      open: async () => {
        await sleep(clock, 1)
        if (this.fault === 'does not open') throw new Error('connection refused')
        return isTold ? this.#held() : undefined
      },
      write: async (batch) => {
        this.writesMax = Math.max(this.writesMax, ++writes)
        try {
          await Promise.race([broken(), this.#write(batch, clock)])
        } finally {
          writes--
        }
      },
      close: async () => {
        for (const reject of breakOff) reject(new Error('closed'))
        breakOff = []
      },
    }
  }

  /** As an older copy. */
  lose(count: number): void {
    if (count === 0) return
    this.rows = this.rows.slice(0, -count)
    this.#hasLost = true
  }

  #held(): Held {
    // Of what was given before the newest as many can be missing as can be under way; numbers have holes.
    // They are stored nearly in order.
    const newest = this.rows
      .slice(-4 * WINDOW)
      .map(({ lsn }) => lsn)
      .sort((a, b) => b - a)
      .slice(0, WINDOW + 1)
    const throughLsn = newest[WINDOW] ?? 0
    const hasLost = this.#hasLost
    this.#hasLost = false
    return { throughLsn, further: new Set(newest), hasLost }
  }

  async #write(batch: Batch, clock: Clock): Promise<void> {
    const rows: Store['rows'] = []
    for await (const records of batch.records())
      for (const { lsn, body } of records) rows.push({ lsn, body: body.toString() })
    await sleep(clock, 1)
    const fault = this.fault ?? (this.#random() < this.ambiguity ? 'stores but fails' : undefined)
    if (fault === 'refuses') throw new Error('refused')
    if (fault === 'hangs') return new Promise(() => {})
    const token = `${batch.firstLsn}-${batch.lastLsn}`
    const isPart = fault === 'stores but fails' && this.style === 'told'
    if (this.style === 'told') this.rows.push(...(isPart ? rows.slice(0, Math.ceil(rows.length / 2)) : rows))
    else if (!this.#tokens.has(token)) this.rows.push(...rows)
    this.#tokens.add(token)
    if (fault === 'stores but fails') throw new Error('timed out')
  }
}

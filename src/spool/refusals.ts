import type { EpochUs } from '../model/event.ts'
import type { Clock } from '../platform/platform.ts'
import { type Loss, LossTally } from './loss.ts'

/** Streams whose first records are refused within so short a time are told together. */
const TOGETHER_MS = 10

export interface RefusalsParts {
  readonly clock: Clock
  readonly onLoss: (loss: Loss) => void
}

/** Data that the log does not take. Each stream is told with its first record; how many there were, when no more are refused. */
export class Refusals {
  readonly #parts: RefusalsParts
  #tally: LossTally | undefined
  /** The first records of streams that are not told yet. */
  #firsts: LossTally | undefined
  #streams = new Set<string>()
  #cancelFirsts = (): void => {}
  /** Nothing was refused since the last tick. */
  #isQuiet = false

  constructor(parts: RefusalsParts) {
    this.#parts = parts
  }

  /** Something was refused, and more may be. */
  get isOngoing(): boolean {
    return this.#tally !== undefined
  }

  /** A stream was refused something, and a kill now would leave nothing of that. */
  get isUntold(): boolean {
    return this.#firsts !== undefined
  }

  add(stream: string, timeUs: EpochUs): void {
    this.#tally ??= new LossTally()
    this.#tally.add({ stream, timeUs })
    this.#isQuiet = false
    if (this.#streams.has(stream)) return
    this.#streams.add(stream)
    if (this.#firsts === undefined) this.#cancelFirsts = this.#parts.clock.after(TOGETHER_MS, () => this.tellFirsts())
    this.#firsts ??= new LossTally()
    this.#firsts.add({ stream, timeUs })
  }

  tellFirsts(): void {
    this.#cancelFirsts()
    const streams = this.#firsts?.streams
    this.#firsts = undefined
    if (streams !== undefined) this.#parts.onLoss({ cause: 'refused', streams, sinks: [], isOngoing: true })
  }

  /** Each second. What is refused now and then is one loss, or there would be one for each gap in a slow disk's work. */
  tick(hasRoom: boolean): void {
    if (this.#isQuiet && hasRoom) this.end()
    this.#isQuiet = true
  }

  end(): void {
    this.#cancelFirsts()
    const streams = this.#tally?.streams
    this.#tally = undefined
    this.#firsts = undefined
    this.#streams.clear()
    if (streams !== undefined) this.#parts.onLoss({ cause: 'refused', streams, sinks: [] })
  }
}

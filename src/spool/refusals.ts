import type { EpochUs } from '../model/event.ts'
import { type Loss, LossTally } from './loss.ts'

/** Data that goes on being refused is told so often. */
const TELL_TICKS = 60

/** Data that the log has not taken, until that is told. */
export class Refusals {
  readonly #onLoss: (loss: Loss) => void
  #tally: LossTally | undefined
  #ticks = 0

  constructor(onLoss: (loss: Loss) => void) {
    this.#onLoss = onLoss
  }

  get isUntold(): boolean {
    return this.#tally !== undefined
  }

  add(stream: string, timeUs: EpochUs): void {
    this.#tally ??= new LossTally()
    this.#tally.add({ stream, timeUs })
  }

  tick(): void {
    if (++this.#ticks % TELL_TICKS === 0) this.tell()
  }

  tell(): void {
    const streams = this.#tally?.streams
    this.#tally = undefined
    if (streams !== undefined) this.#onLoss({ cause: 'refused', streams, sinks: [] })
  }
}

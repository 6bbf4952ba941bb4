/** When the disk may not have taken anything, and what the next process therefore cannot know. */

import type { EpochUs } from '../model/event.ts'
import type { Entry } from './oracle-judge.ts'
import type { OracleOptions } from './oracle-promises.ts'
import type { Stream } from './oracle-streams.ts'

export class DiskTrouble {
  readonly #options: OracleOptions
  #fromUs = 0
  /** Until then; it is tried again only after a while. */
  #untilUs = 0

  constructor(options: OracleOptions) {
    this.#options = options
  }

  fault({ fault, atUs, untilUs = atUs }: Entry<'fault'>): void {
    if (!this.#options.diskFaults.test(fault)) return
    if (atUs > this.#untilUs) this.#fromUs = atUs
    this.#untilUs = Math.max(this.#untilUs, untilUs + this.#options.detectionUs)
  }

  isAt(atUs: EpochUs): boolean {
    return atUs <= this.#untilUs
  }

  /** What left then may be on no disk. */
  hasHidden(atUs: EpochUs, endedUs: EpochUs): boolean {
    return this.#fromUs - this.#options.processUs <= atUs && this.isAt(endedUs)
  }

  /** Since the stream's first data left (of one without any: its first gap) the disk has not taken a word of it. */
  isUnheardOf({ leftUs, gaps }: Stream, atUs: EpochUs): boolean {
    const [firstGap] = gaps.values()
    return this.#fromUs <= (leftUs ?? firstGap?.firstAtUs ?? 0) && this.isAt(atUs)
  }
}

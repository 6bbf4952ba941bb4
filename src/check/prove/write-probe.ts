/** What the machine itself needs, at this moment, for what a log does: wait a few milliseconds, then write to a file. */

import { sleep } from '../../platform/clock.ts'
import type { Platform } from '../../platform/platform.ts'
import { type Spread, spread } from '../oracle-figures.ts'

const EVERY_MS = 20
/** As long as the log waits. */
const GROUP_MS = 5
const BYTES = Buffer.alloc(4096)

/** Milliseconds of each try. The result ends it. */
export async function probeWrites({ clock, files }: Platform, path: string): Promise<() => Promise<Spread>> {
  const file = await files.create(path)
  const took: number[] = []
  let isOver = false
  const running = (async () => {
    while (!isOver) {
      const startMs = clock.monotonicMs()
      await sleep(clock, GROUP_MS)
      await file.append([BYTES])
      // A write that takes long stands for those that could not begin meanwhile.
      for (let ms = clock.monotonicMs() - startMs; ms > 0; ms -= EVERY_MS) took.push(ms)
      await sleep(clock, EVERY_MS)
    }
    await file.close()
  })()
  return async () => {
    isOver = true
    await running
    return spread(took)
  }
}

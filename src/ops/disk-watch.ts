/** How much room the disk of the data folder has left. */

import type { Clock, Files } from '../platform/platform.ts'
import type { Metrics } from './metrics.ts'

/** A disk that does not answer is asked no second time meanwhile. */
const INTERVAL_MS = 10_000

export interface DiskWatchOptions {
  readonly metrics: Metrics
  readonly clock: Clock
  readonly files: Pick<Files, 'freeBytes'>
  /** One that is not there yet shows nothing. */
  readonly folder: string
}

/** Asks now and every 10 s. Returns what ends it. */
export function watchDisk({ metrics, clock, files, folder }: DiskWatchOptions): () => void {
  let freeBytes: number | undefined
  let isAsking = false
  const ask = async () => {
    if (isAsking) return
    isAsking = true
    freeBytes = await files.freeBytes(folder).catch(() => undefined)
    isAsking = false
  }
  metrics.computed('diskFree', () => (freeBytes === undefined ? [] : [{ labels: {}, value: freeBytes }]))
  void ask()
  return clock.every(INTERVAL_MS, () => void ask())
}

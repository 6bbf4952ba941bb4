// Spreads seeds over worker threads.
import { Worker } from 'node:worker_threads'

/** A run makes much that lives for a moment only. */
const LIMITS = { maxYoungGenerationSizeMb: 64 }

/**
 * Runs seeds from `first` on until `count` are done or `isOver()`. Resolves when all that were begun have ended.
 * `onVerdict` is called for each, in no order.
 */
export async function runSeeds({ first = 1, count, workers = 2, isOver = () => false, onVerdict }) {
  let next = first
  const takesSeed = () => next < first + count && !isOver()
  const work = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./sim-worker.mjs', import.meta.url), { resourceLimits: LIMITS })
      worker.on('error', reject)
      worker.on('message', (verdict) => {
        if (verdict !== undefined) onVerdict(verdict)
        if (takesSeed()) worker.postMessage(next++)
        else void worker.terminate().then(resolve)
      })
    })
  await Promise.all(Array.from({ length: workers }, work))
}

/** What many verdicts come to. */
export function createTally() {
  const tally = { seeds: 0, failed: [], promises: {}, faults: {}, events: 0, gaps: {}, virtualHours: 0, slowest: {} }
  const add = (into, from = {}) => {
    for (const [name, value] of Object.entries(from)) into[name] = (into[name] ?? 0) + value
  }
  return {
    tally,
    add({ seed, brokenCount, promises, virtualMs = 0, figures = {} }) {
      tally.seeds++
      if (brokenCount > 0) tally.failed.push(seed)
      add(tally.promises, promises)
      add(tally.faults, figures.faults)
      tally.events += Object.values(figures.events ?? {}).reduce((sum, value) => sum + value, 0)
      for (const [cause, states] of Object.entries(figures.gaps ?? {})) {
        tally.gaps[cause] ??= {}
        add(tally.gaps[cause], states)
      }
      tally.virtualHours += virtualMs / 3_600_000
      keepSlowest(tally.slowest, { sockets: figures.socketsMs, books: figures.booksMs, ...figures.detectionMs })
    },
  }
}

/** The worst seed's p50 and p99, and the longest of all, of each span. */
function keepSlowest(slowest, spans) {
  for (const [name, span] of Object.entries(spans)) {
    if (span === undefined || span.count === 0) continue
    slowest[name] ??= { count: 0, p50Max: 0, p99Max: 0, max: 0 }
    const known = slowest[name]
    known.count += span.count
    known.p50Max = Math.max(known.p50Max, span.p50)
    known.p99Max = Math.max(known.p99Max, span.p99)
    known.max = Math.max(known.max, span.max)
  }
}

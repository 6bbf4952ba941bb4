// `npm run sim:check`: the whole collector against simulated venues, one run for each seed, each judged.
import { parseArgs } from 'node:util'
import { say, setUp } from './setup.mjs'

setUp()
const { createTally, runSeeds } = await import('./sim-workers.mjs')
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    first: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
  },
})
const started = performance.now()
const { tally, add } = createTally()
await runSeeds({
  first: Number(values.first),
  count: Number(values.seeds),
  workers: Number(values.workers),
  onVerdict(verdict) {
    add(verdict)
    if (verdict.brokenCount === 0) return
    const more = verdict.brokenCount > 1 ? ` (and ${verdict.brokenCount - 1} more)` : ''
    say(`${verdict.broken[0]}${more}\n  npm run sim -- --seed ${verdict.seed}`)
  },
})
const seconds = (performance.now() - started) / 1000
const faults = Object.values(tally.faults).reduce((sum, count) => sum + count, 0)
for (const [promise, count] of Object.entries(tally.promises).sort(([, a], [, b]) => b - a))
  say(`${String(count).padStart(7)} ${promise}`)
say(
  `${tally.seeds} seeds in ${seconds.toFixed(1)} s: ${tally.failed.length} failed; ` +
    `${faults} faults of ${Object.keys(tally.faults).length} kinds, ${tally.events} events, ${tally.virtualHours.toFixed(1)} virtual hours`,
)
process.exit(tally.failed.length === 0 ? 0 : 1)

// `npm run sim:soak -- --seeds N --hours H [--out FILE]`: seeds for as long as asked. `--day`: one virtual day without faults.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { say, setUp } from './setup.mjs'

setUp()
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20000' },
    hours: { type: 'string', default: '24' },
    first: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    out: { type: 'string' },
    day: { type: 'boolean', default: false },
    'virtual-hours': { type: 'string', default: '24' },
  },
})
const PROGRESS_MS = 10_000
const started = performance.now()
const seconds = () => Math.round((performance.now() - started) / 1000)
const write = (figures) => {
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(figures, null, 2)}\n`)
}

if (values.day) await soakDay()
else await soakSeeds()

/** No fault, so no gap. */
async function soakDay() {
  const { judgeDay } = await import('../dist/check/day.js')
  const hours = Number(values['virtual-hours'])
  let saidMs = 0
  const verdict = await judgeDay(Number(values.first), hours, (virtualHours) => {
    if (performance.now() - saidMs < PROGRESS_MS) return
    saidMs = performance.now()
    say(`${seconds()} s: ${virtualHours.toFixed(1)} of ${hours} virtual hours`)
  })
  write({ ...verdict, seconds: seconds() })
  for (const line of verdict.broken) say(line)
  say(
    `${hours} virtual hours in ${seconds()} s: ${verdict.brokenCount} broken promises, ${verdict.gaps} gaps, ${verdict.entries} trace entries`,
  )
  process.exit(verdict.brokenCount === 0 && verdict.gaps === 0 ? 0 : 1)
}

async function soakSeeds() {
  const { createTally, runSeeds } = await import('./sim-workers.mjs')
  const { tally, add } = createTally()
  const endMs = started + Number(values.hours) * 3_600_000
  let saidMs = started
  await runSeeds({
    first: Number(values.first),
    count: Number(values.seeds),
    workers: Number(values.workers),
    isOver: () => performance.now() > endMs,
    onVerdict(verdict) {
      add(verdict)
      if (verdict.brokenCount > 0) say(`seed ${verdict.seed}: ${verdict.broken[0]}`)
      if (performance.now() - saidMs < PROGRESS_MS) return
      saidMs = performance.now()
      say(
        `${seconds()} s: ${tally.seeds} seeds, ${tally.failed.length} failed, ${tally.virtualHours.toFixed(1)} virtual hours`,
      )
      write({ ...tally, seconds: seconds() })
    },
  })
  write({ ...tally, seconds: seconds() })
  say(`${tally.seeds} seeds in ${seconds()} s: ${tally.failed.length} failed`)
  process.exit(tally.failed.length === 0 ? 0 : 1)
}

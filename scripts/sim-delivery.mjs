// `npm run sim:delivery -- [--seeds N] [--first N] [--outage SECONDS] [--out FILE]`: delivery to two stores under kills,
// losses of power, outages and ambiguous answers. `--outage`: runs that are long enough for outages of this length.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { say, setUp } from './setup.mjs'

setUp()
const { judgeDelivery } = await import('../dist/check/delivery.js')
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    first: { type: 'string', default: '1' },
    outage: { type: 'string' },
    out: { type: 'string' },
  },
})
const MINUTE_MS = 60_000
const SHORT = { ms: MINUTE_MS, killMs: 5_000, outageEveryMs: 15_000, outagesMs: [1_000, 10_000], ambiguity: 0.2 }
const longFor = (outageMs) => ({
  // Long enough for two in a row.
  ms: outageMs * 2.5 + 10 * MINUTE_MS,
  killMs: outageMs / 20 + MINUTE_MS / 2,
  outageEveryMs: outageMs / 2,
  outagesMs: [1_000, outageMs],
  ambiguity: 0.2,
  quotaBytes: 2 ** 32,
  isQuiet: true,
})
const options = values.outage === undefined ? SHORT : longFor(Number(values.outage) * 1000)
const started = performance.now()
const seconds = () => Math.round((performance.now() - started) / 1000)
const total = { seeds: 0, failed: 0, kills: 0, outages: 0, outageMsMax: 0, events: 0, lost: 0, lostMsMax: 0 }
const last = Number(values.first) + Number(values.seeds) - 1
for (let seed = Number(values.first); seed <= last; seed++) {
  const { broken, ...figures } = await judgeDelivery({ ...options, seed })
  total.seeds++
  for (const [name, value] of Object.entries(figures))
    total[name] = name.endsWith('Max') ? Math.max(total[name], value) : total[name] + value
  if (broken.length > 0) {
    total.failed++
    say(`seed ${seed}: ${broken.length} broken; ${broken[0]}`)
  }
}
if (values.out !== undefined)
  writeFileSync(values.out, `${JSON.stringify({ ...total, seconds: seconds() }, null, 2)}\n`)
say(
  `${total.seeds} seeds in ${seconds()} s: ${total.failed} failed, ${total.kills} kills, ${total.outages} outages ` +
    `of up to ${Math.round(total.outageMsMax / 1000)} s, ` +
    `${total.events} events; a kill took at most ${total.lostMsMax.toFixed(1)} ms`,
)
process.exit(total.failed === 0 ? 0 : 1)

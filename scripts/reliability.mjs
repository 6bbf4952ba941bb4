// `npm run reliability -- sim|sim-day|sim-delivery|sim-outage|mutants FILE --command TEXT`: records what a run of the simulation wrote; `npm run docs` shows it.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { recordOf } from './reliability-record.mjs'
import { ROOT, say, setUp } from './setup.mjs'

const FOLDER = join(ROOT, 'docs', 'reliability')
const COMMANDS = {
  sim: 'sim:soak',
  'sim-day': 'sim:soak -- --day',
  'sim-delivery': 'sim:delivery',
  'sim-outage': 'sim:delivery -- --outage 86400',
  mutants: 'sim:mutants',
}

/** The page, and where it belongs. */
export async function reliabilityPage() {
  const { reliabilityMarkdown } = await import('../dist/check/reliability.js')
  const { readRecord } = await import('../dist/check/reliability-record.js')
  const { venues } = await import('../dist/venues/index.js')
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => file.endsWith('.json')) : []
  const records = files.map((file) => readRecord(readFileSync(join(FOLDER, file), 'utf8')))
  return { path: 'docs/RELIABILITY.md', text: reliabilityMarkdown(venues, records) }
}

async function record() {
  setUp()
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { command: { type: 'string' } } })
  const [name, file] = positionals
  const { dayDigest, deliveryDigest, mutantDigest, soakDigest } = await import('../dist/check/reliability-record.js')
  const digest = {
    sim: soakDigest,
    'sim-day': dayDigest,
    'sim-delivery': deliveryDigest,
    'sim-outage': deliveryDigest,
    mutants: mutantDigest,
  }[name]
  if (digest === undefined || file === undefined) {
    say(`npm run reliability -- ${Object.keys(COMMANDS).join('|')} FILE [--command TEXT]`)
    process.exit(64)
  }
  const tally = JSON.parse(readFileSync(file, 'utf8'))
  const { figures, bounds } = digest(tally)
  const { holds } = await import('../dist/check/prove/proof.js')
  const command = values.command ?? `npm run ${COMMANDS[name]}`
  const made = recordOf({ name, command, seconds: tally.seconds, figures, bounds, pass: bounds.every(holds) })
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(made, null, 2)}\n`)
  say(`wrote docs/reliability/${name}.json`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await record()

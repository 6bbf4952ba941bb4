// `npm run prove -- [name...] [--count N] [--json FILE]`: proofs on real sockets and real processes, with their figures.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { recordOf } from './reliability-record.mjs'
import { ROOT, say, setUp } from './setup.mjs'

setUp()
const { boundText, holds, proofs } = await import('../dist/check/prove/index.js')
const { systemClock } = await import('../dist/platform/clock.js')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})
const unknown = positionals.filter((name) => !proofs.some((proof) => proof.name === name))
if (values.list || unknown.length > 0) {
  for (const { name, about, counts, usualCount } of proofs)
    say(`${name.padEnd(10)} ${about} --count: ${counts} (${usualCount})`)
  process.exit(unknown.length > 0 ? 64 : 0)
}
const chosen = proofs.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const count = values.count === undefined ? undefined : Number(values.count)
const records = []
for (const proof of chosen) records.push(await prove(proof))
if (values.json !== undefined) {
  const text = records.length === 1 ? records[0] : records
  writeFileSync(values.json, `${JSON.stringify(text, null, 2)}\n`)
}
process.exit(records.every(({ pass }) => pass) ? 0 : 1)

async function prove(proof) {
  const folder = mkdtempSync(join(tmpdir(), 'prove-'))
  const started = performance.now()
  const tell = (text) => say(`${proof.name} ${Math.round((performance.now() - started) / 1000)} s: ${text}`)
  say(`${proof.name}: ${proof.about}`)
  try {
    const result = await proof.run({
      count,
      seed: Number(values.seed),
      folder,
      main: join(ROOT, 'dist', 'main.js'),
      clock: systemClock(),
      say: tell,
    })
    const seconds = Math.round((performance.now() - started) / 1000)
    for (const [name, value] of Object.entries(result.figures)) say(`      ${name}: ${value}`)
    for (const bound of result.bounds) say(`${boundText(bound)}`)
    const command = `npm run prove -- ${proof.name}${count === undefined ? '' : ` --count ${count}`}`
    return recordOf({ name: proof.name, command, seconds, ...result, pass: result.bounds.every(holds) })
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
}

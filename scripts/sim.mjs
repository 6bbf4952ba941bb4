// `npm run sim -- --seed N`: runs one seed again and tells what broke, with what happened before it.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { say, setUp } from './setup.mjs'

setUp()
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    plan: { type: 'string' },
    'save-plan': { type: 'string' },
    shrink: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    lines: { type: 'string', default: '50' },
    later: { type: 'string', default: '10' },
    faults: { type: 'boolean', default: false },
  },
})
const { faultTable } = await import('../dist/check/faults/index.js')
const { reproduce, reproductionText, shrinkPlan } = await import('../dist/check/reproduce.js')

if (values.faults) {
  process.stdout.write(`${faultTable()}\n`)
  process.exit(0)
}
const seed = Number(values.seed)
const given = values.plan === undefined ? {} : { plan: JSON.parse(readFileSync(values.plan, 'utf8')) }
const options = { isEverything: values.all, linesMax: Number(values.lines), laterMax: Number(values.later) }
let outcome = await reproduce(seed, { ...given, ...options })
const promise = outcome.result.crash === undefined ? outcome.violations[0]?.promise : 'crash'
if (values.shrink && promise !== undefined) {
  const plan = await shrinkPlan(seed, outcome.result.plan, promise, (length) => say(`${length} faults are enough`))
  outcome = await reproduce(seed, { plan, ...options })
}
process.stdout.write(`${reproductionText(seed, outcome)}\n`)
if (values.shrink || given.plan)
  for (const fault of outcome.result.plan) process.stdout.write(`${JSON.stringify(fault)}\n`)
if (values['save-plan']) writeFileSync(values['save-plan'], `${JSON.stringify(outcome.result.plan, null, 2)}\n`)
process.exit(promise === undefined ? 0 : 1)

// `npm run sim:mutants`: applies seeded bugs one by one; each must break a promise that the tree without them keeps.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants, setPriority, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { installDependencies, ROOT, say } from './setup.mjs'

/** A seed takes a second; a mutant that runs in circles never ends one. */
const SEED_MS_MAX = 120_000
const HEAP_MB_MAX = 1_500
const MAX_WORKERS = 2
/** A mutant that names what there is not proves nothing. */
const BROKEN_CODE = /^crash.*(ReferenceError|SyntaxError)/

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    seeds: { type: 'string', default: '200' },
    workers: { type: 'string', default: String(MAX_WORKERS) },
    json: { type: 'string' },
    // The JSON of an earlier run: the seed that killed a mutant then is tried first.
    earlier: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
})
const SEEDS_MAX = Number(values.seeds)
const earlier = values.earlier === undefined ? [] : JSON.parse(readFileSync(values.earlier, 'utf8')).table
const killers = new Map(earlier.map(({ name, seed }) => [name, seed]))

installDependencies()
// Threads inherit it: other work on the machine goes first.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
const stage = mkdtempSync(join(tmpdir(), 'marketprism-mutants-'))
process.on('exit', () => rmSync(stage, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))

cpSync(join(ROOT, 'src'), join(stage, 'src'), { recursive: true })
cpSync(join(ROOT, 'test', 'mutants'), join(stage, 'table-src'), { recursive: true })
cpSync(join(ROOT, 'package.json'), join(stage, 'package.json'))
symlinkSync(join(ROOT, 'node_modules'), join(stage, 'node_modules'))
transpile('table-src', 'table')
const { mutants: all, mutate } = await import(join(stage, 'table', 'index.js'))
const mutants = values.only === undefined ? all : all.filter(({ name }) => values.only.includes(name))
if (mutants.length === 0) stop(`there is no mutant '${values.only}'`)
const codes = prepare()
if (values.check) {
  say(`${mutants.length} mutants apply and compile`)
  process.exit(0)
}
await run()

/** TypeScript below the stage to JavaScript there. Types are not checked: a bug may break them. */
function transpile(from, to) {
  const config = join(stage, `tsconfig.${from}.json`)
  const compilerOptions = { noCheck: true, sourceMap: false, rootDir: from, outDir: to }
  writeFileSync(
    config,
    JSON.stringify({ extends: join(ROOT, 'tsconfig.build.json'), compilerOptions, include: [from] }),
  )
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', config], { encoding: 'utf8' })
  if (status !== 0) stop(`${from} does not compile:\n${stdout}`)
}

/** The code of each mutated file, by the mutant's name; the tree itself is in `clean/dist`. */
function prepare() {
  transpile('src', join('clean', 'dist'))
  const problems = mutants.flatMap((mutant) => {
    const path = join(stage, 'mutated', mutant.name, mutant.file)
    mkdirSync(dirname(path), { recursive: true })
    try {
      writeFileSync(path, mutate(mutant, readFileSync(join(stage, 'src', mutant.file), 'utf8')))
      return []
    } catch (error) {
      return [error.message]
    }
  })
  if (problems.length > 0) stop(problems.join('\n'))
  transpile('mutated', 'codes')
  return new Map(
    mutants.map(({ name, file }) => {
      const script = file.replace(/\.ts$/, '.js')
      const code = readFileSync(join(stage, 'codes', name, script), 'utf8')
      if (code === readFileSync(join(stage, 'clean', 'dist', script), 'utf8'))
        stop(`mutant ${name}: compiles to the same code`)
      return [name, { script, code }]
    }),
  )
}

async function run() {
  const started = performance.now()
  const clean = referenceOf(openTree('clean'))
  const results = []
  const waiting = [...mutants]
  const work = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const result = await judge(mutant, clean)
      results.push(result)
      say(lineOf(result))
    }
  }
  await Promise.all(Array.from({ length: Math.min(MAX_WORKERS, Number(values.workers)) }, work))
  const survivors = results.filter(({ seed }) => seed === undefined)
  const seconds = secondsSince(started)
  if (values.json !== undefined) {
    const figures = { mutants: results.length, killed: results.length - survivors.length, seedsMax: SEEDS_MAX, seconds }
    const table = results.sort((a, b) => a.name.localeCompare(b.name))
    writeFileSync(values.json, `${JSON.stringify({ ...figures, cleanBreaks: clean.broken(), table }, null, 2)}\n`)
  }
  for (const [promise, seed] of Object.entries(clean.broken()))
    say(`The tree without any mutant breaks ${promise} at seed ${seed}; behind that seed it kills none.`)
  say(`${results.length - survivors.length} of ${results.length} mutants killed in ${seconds} s`)
  for (const { name, why } of survivors) say(`  survived ${SEEDS_MAX} seeds: ${name} (${why})`)
  process.exit(survivors.length === 0 ? 0 : 1)
}

/** Seed after seed, until a promise is broken that the tree without the bug keeps in all seeds so far. */
async function judge({ name, file, why }, clean) {
  const started = performance.now()
  const { script, code } = codes.get(name)
  cpSync(join(stage, 'clean', 'dist'), join(stage, name, 'dist'), { recursive: true })
  writeFileSync(join(stage, name, 'dist', script), code)
  const tree = openTree(name)
  const end = (found) => ({ name, file, why, ...found, seconds: secondsSince(started) })
  try {
    for (const seed of seedsOf(name)) {
      const { promises, broken } = await tree.judge(seed)
      const words = Object.keys(promises)
      if (words.length === 0) continue
      const known = await clean.brokenUpTo(seed)
      const promise = words.find((word) => !known.has(word))
      if (promise === undefined) continue
      const text = broken.find((line) => line.startsWith(promise)) ?? ''
      if (BROKEN_CODE.test(text)) stop(`mutant ${name} is no bug, but code that cannot run: ${text}`)
      return end({ seed, promise, text })
    }
    return end({})
  } finally {
    await tree.close()
    rmSync(join(stage, name), { recursive: true, force: true })
  }
}

function seedsOf(name) {
  const seeds = Array.from({ length: SEEDS_MAX }, (_, i) => i + 1)
  const killer = killers.get(name)
  return seeds.includes(killer) ? [killer, ...seeds.filter((seed) => seed !== killer)] : seeds
}

/** What the tree without any bug breaks: seeds are run when someone asks, once. */
function referenceOf(tree) {
  const firstSeedOf = {}
  let last = 0
  let running = Promise.resolve()
  const extend = async (seed) => {
    while (last < seed) {
      const { promises } = await tree.judge(last + 1)
      last++
      for (const promise of Object.keys(promises)) firstSeedOf[promise] ??= last
    }
  }
  return {
    broken: () => firstSeedOf,
    async brokenUpTo(seed) {
      running = running.then(() => extend(seed))
      await running
      return new Set(Object.keys(firstSeedOf).filter((promise) => firstSeedOf[promise] <= seed))
    },
  }
}

/** Runs seeds of the tree `stage/<name>`, one at a time, in a thread of its own. */
function openTree(name) {
  cpSync(join(ROOT, 'package.json'), join(stage, name, 'package.json'))
  const script = join(stage, name, 'scripts', 'sim-worker.mjs')
  cpSync(join(ROOT, 'scripts', 'sim-worker.mjs'), script)
  const worker = new Worker(script, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX } })
  let settle = () => {}
  let failure
  const fail = (promise, text) => {
    failure = { promises: { [promise]: 1 }, broken: [`${promise} ${text}`] }
    settle(failure)
  }
  let isReady = false
  const ready = new Promise((resolve) => {
    worker.on('message', (verdict) => {
      if (verdict !== undefined) settle(verdict)
      isReady = true
      resolve()
    })
    worker.on('error', (error) => {
      if (!isReady) stop(`${name} does not start: ${error.message}`)
      fail('crash', error.message)
    })
    worker.on('exit', (code) => fail('crash', `ended with code ${code}`))
  })
  return {
    async judge(seed) {
      await ready
      if (failure !== undefined) return failure
      return await new Promise((resolve) => {
        const timer = setTimeout(
          () => fail('hang', `seed ${seed} takes more than ${SEED_MS_MAX / 1000} s`),
          SEED_MS_MAX,
        )
        settle = (verdict) => {
          clearTimeout(timer)
          resolve(verdict)
        }
        worker.postMessage(seed)
      })
    },
    close: () => worker.terminate(),
  }
}

function lineOf({ name, seed, promise, text, seconds }) {
  if (seed === undefined) return `${name.padEnd(34)} SURVIVED (${seconds} s)`
  return `${name.padEnd(34)} seed ${String(seed).padStart(3)}  ${promise.padEnd(26)} ${String(seconds).padStart(5)} s  ${text.slice(promise.length).trim().slice(0, 120)}`
}

function stop(problem) {
  say(problem)
  process.exit(1)
}

function secondsSince(started) {
  return Math.round((performance.now() - started) / 100) / 10
}

// Brings a clone to where it can run: the dependencies of the lockfile, and dist/ built from src/. Does nothing when both are there.
import './node-version.mjs'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DIST = join(ROOT, 'dist')
const BUILD_STAMP = join(DIST, '.built-from')
/** Lines of npm's output that are shown when it fails; the rest is its help text. */
const OUTPUT_LINES_MAX = 15
const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/

/** stderr, so that what a command prints to stdout stays clean. */
export const say = (text) => process.stderr.write(`${text}\n`)

/** Installs and builds what is missing. Ends the process with a clear message when that fails. */
export function setUp() {
  installDependencies()
  build()
}

export function installDependencies() {
  if (isInstalled()) return
  say('Installing dependencies from package-lock.json …')
  const started = Date.now()
  // Scripts of packages are not run: none of ours needs one.
  const result = npm(['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'])
  if (result.error || result.status !== 0) {
    const output = result.error ? result.error.message : `${result.stdout}${result.stderr}`.trim()
    say(output.split('\n').slice(0, OUTPUT_LINES_MAX).join('\n'))
    say(
      UNREACHABLE.test(output)
        ? 'npm ci failed: the package registry cannot be reached. A connection (or a configured mirror) is needed once.'
        : 'npm ci failed; the start of its output is above.',
    )
    process.exit(1)
  }
  say(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`)
}

/** Runs npm in `cwd` and keeps its output. */
export function npm(args, cwd = ROOT) {
  const options = { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 }
  // Under `npm start` this is the npm that runs us; it need not be on the path.
  const script = process.env.npm_execpath
  if (script?.endsWith('.js')) return spawnSync(process.execPath, [script, ...args], options)
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
}

/** Does node_modules hold what the lockfile says? npm writes the inner lockfile last, so half an install does not count. */
function isInstalled() {
  const installed = readLock(join(ROOT, 'node_modules', '.package-lock.json'))
  if (installed === undefined) return false
  return Object.entries(readLock(join(ROOT, 'package-lock.json')) ?? {}).every(
    ([path, wanted]) =>
      path === '' || installed[path]?.version === wanted.version || (wanted.optional === true && !isForHere(wanted)),
  )
}

function readLock(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined
}

/** Is an optional package meant for this machine? Of two C libraries only one is installed, so those are not asked for. */
function isForHere({ os, cpu, libc }) {
  if (os === undefined && cpu === undefined) return false
  return libc === undefined && (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true)
}

export function build() {
  const wanted = sourceHash()
  if (existsSync(BUILD_STAMP) && readFileSync(BUILD_STAMP, 'utf8') === wanted) return
  say('Building …')
  // Built aside and then moved, so that a build that fails or a second one at the same time leaves a whole dist/ behind.
  const aside = join(ROOT, `dist.${process.pid}`)
  if (!compile('tsconfig.build.json', aside) || !compile(join('web', 'tsconfig.json'), join(aside, 'web'))) {
    rmSync(aside, { recursive: true, force: true })
    say('The build failed; the errors are above.')
    process.exit(1)
  }
  for (const name of webFiles()) cpSync(join(ROOT, 'web', name), join(aside, 'web', name))
  writeFileSync(join(aside, '.built-from'), wanted)
  rmSync(DIST, { recursive: true, force: true })
  renameSync(aside, DIST)
}

function compile(project, outDir) {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const args = [tsc, '-p', project, '--noEmit', 'false', '--outDir', outDir]
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 2, 2] }).status === 0
}

/** Files of the dashboard that are served as they are. */
const webFiles = () =>
  readdirSync(join(ROOT, 'web'), { recursive: true }).filter((name) =>
    ['.html', '.css', '.svg'].includes(extname(name)),
  )

function sourceHash() {
  const hash = createHash('sha256')
  const sources = ['src', 'web']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true }).map((file) => join(folder, file)))
    .filter((file) => statSync(join(ROOT, file)).isFile())
    .sort()
  for (const file of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...sources]) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0')
  }
  return hash.digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp()

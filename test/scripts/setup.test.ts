import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
let project = ''

/** A project with the real scripts and compiler, and a program of one file. */
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'marketprism-setup-'))
  cpSync(join(root, 'scripts'), join(project, 'scripts'), { recursive: true })
  mkdirSync(join(project, 'src'))
  mkdirSync(join(project, 'node_modules', '@types'), { recursive: true })
  for (const name of ['typescript', '@typescript', '@types/node', 'undici-types']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name))
  }
  for (const name of ['tsconfig.json', 'tsconfig.build.json']) cpSync(join(root, name), join(project, name))
  mkdirSync(join(project, 'web'))
  cpSync(join(root, 'web', 'tsconfig.json'), join(project, 'web', 'tsconfig.json'))
  write('web/index.html', '<!doctype html>')
  write('web/page.ts', 'export const page: Node | undefined = undefined\n')
  write('package.json', '{ "type": "module" }')
  lock('package-lock.json', {
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '1.0.0', optional: true },
  })
  lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '1.0.0' } })
  write('src/main.ts', 'process.stdout.write(JSON.stringify(process.argv.slice(1)))\n')
})
afterEach(() => rmSync(project, { recursive: true, force: true }))

const write = (file: string, text: string): void => writeFileSync(join(project, file), text)
const lock = (file: string, packages: object): void =>
  write(file, JSON.stringify({ packages: { '': {}, ...packages } }))

function run(args: readonly string[] = [], environment: Record<string, string> = {}): SpawnSyncReturns<string> {
  const env = { ...process.env, ...environment }
  return spawnSync(process.execPath, ['scripts/run.mjs', ...args], { cwd: project, encoding: 'utf8', env })
}

/** Stands in for npm: says `output`, ends with `status`, and notes its arguments. */
function fakeNpm(output: string, status: number): Record<string, string> {
  const say = `process.stderr.write(${JSON.stringify(output)}, () => process.exit(${status}))`
  write('npm.js', `import fs from 'node:fs'\nfs.writeFileSync('npm-args', process.argv.slice(2).join(' '))\n${say}`)
  return { npm_execpath: join(project, 'npm.js') }
}

test('builds once, runs with the given arguments, and builds again only when a source changed', () => {
  const first = run(['start', '--port', '0'])
  expect(first.stderr).toBe('Building …\n')
  expect(JSON.parse(first.stdout)).toEqual([join(project, 'dist', 'main.js'), 'start', '--port', '0'])
  expect(readdirSync(join(project, 'dist/web')).sort()).toEqual(['index.html', 'page.js'])
  expect(run().stderr).toBe('')
  write('web/index.html', '<!doctype html><title>new</title>')
  expect(run().stderr).toBe('Building …\n')
  expect(readFileSync(join(project, 'dist/web/index.html'), 'utf8')).toContain('new')
  write('src/gone.ts', 'export const gone = 1\n')
  expect(run().stderr).toBe('Building …\n')
  rmSync(join(project, 'src/gone.ts'))
  expect(run().stderr).toBe('Building …\n')
  expect(existsSync(join(project, 'dist/gone.js')), 'nothing old stays in dist').toBe(false)
})

test('a build that fails says so and leaves the last good one alone', () => {
  run()
  const good = readFileSync(join(project, 'dist/main.js'), 'utf8')
  write('src/main.ts', 'const wrong: number = "text"\nexport { wrong }\n')
  const { status, stderr } = run()
  expect(status).toBe(1)
  expect(stderr).toContain('src/main.ts(1,7): error TS2322')
  expect(stderr).toContain('The build failed')
  expect(readFileSync(join(project, 'dist/main.js'), 'utf8')).toBe(good)
  expect(readdirSync(project).filter((name) => name.startsWith('dist'))).toEqual(['dist'])
})

test('signals reach the program: it runs in the process that was started', async () => {
  write(
    'src/main.ts',
    `process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready')`,
  )
  const child = spawn(process.execPath, ['scripts/run.mjs'], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([7, null])
})

test('installs when the lockfile asks for something else than what is there', () => {
  lock('package-lock.json', { 'node_modules/a': { version: '1.0.1' } })
  const { stderr } = run([], fakeNpm('', 0))
  expect(stderr).toMatch(/^Installing dependencies from package-lock.json …\nInstalled in \d+ s\.\nBuilding …\n$/)
  expect(readFileSync(join(project, 'npm-args'), 'utf8')).toMatch(/^ci --ignore-scripts --include=dev /)
})

test('half an install and one for another machine are completed', () => {
  rmSync(join(project, 'node_modules/.package-lock.json'))
  expect(run([], fakeNpm('', 0)).stderr).toContain('Installing')
  lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '1.0.0' } })
  expect(run([], fakeNpm('', 0)).stderr).not.toContain('Installing')
  const here = { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] }
  lock('package-lock.json', { 'node_modules/a': { version: '1.0.0' }, 'node_modules/native': here })
  expect(run([], fakeNpm('', 0)).stderr).toContain('Installing')
})

test('an install that fails ends with a sentence, and says when there is no network', () => {
  lock('package-lock.json', { 'node_modules/a': { version: '2.0.0' } })
  const offline = run([], fakeNpm('npm error code ENOTFOUND', 1))
  expect(offline.status).toBe(1)
  expect(offline.stderr).toContain('the package registry cannot be reached')
  const broken = run([], fakeNpm(`npm error code EUSAGE\n${'help\n'.repeat(100)}`, 1))
  expect(broken.status).toBe(1)
  expect(broken.stderr).toContain('npm error code EUSAGE')
  expect(broken.stderr.split('\n').length).toBeLessThan(20)
  expect(broken.stderr).not.toContain('cannot be reached')
})

test('an old Node is told so', () => {
  const old = `Object.defineProperty(process, 'versions', { value: { node: '20.18.3' } })`
  const args = ['--import', `data:text/javascript,${encodeURIComponent(old)}`, 'scripts/run.mjs']
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' })
  expect(status).toBe(1)
  expect(stderr).toMatch(/^MarketPrism needs Node\.js 20\.19 or newer; this is v\d+/)
})

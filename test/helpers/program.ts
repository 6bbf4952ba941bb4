/** The built program as a process. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { until } from './service.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** What `npm run build` makes. */
export const MAIN = join(ROOT, 'dist', 'main.js')

export interface Run {
  readonly child: ChildProcess
  /** What it has written to standard output and error. */
  readonly output: () => string
  readonly exit: Promise<number | null>
}

export interface Program {
  /** An empty folder, in which the program runs; removed after all tests. */
  readonly folder: string
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Run
  /** A process that shall not outlive its test either. */
  adopt(child: ChildProcess): void
  /** The demo, running, with its URL. */
  demo(
    args?: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): Promise<Run & { readonly url: string }>
}

/** Builds what is missing before the tests of a file; after each test nothing that it started is left. */
export function useProgram(): Program {
  const folder = mkdtempSync(join(tmpdir(), 'process-'))
  const children: ChildProcess[] = []
  beforeAll(() => {
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'setup.mjs')], { stdio: 'ignore' })
  }, 120_000)
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const run: Program['run'] = (args, environment = {}) => {
    const { PATH = '', HOME = '' } = process.env
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env: { PATH, HOME, ...environment } })
    children.push(child)
    let output = ''
    const add = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout?.on('data', add)
    child.stderr?.on('data', add)
    return { child, output: () => output, exit: new Promise((resolve) => child.on('exit', resolve)) }
  }
  return {
    folder,
    run,
    adopt: (child) => void children.push(child),
    async demo(args = [], environment = {}) {
      const started = run(['demo', '--port', '0', ...args], environment)
      const find = () => /answers at (http:\/\/127\.0\.0\.1:\d+)/.exec(started.output())?.[1]
      await until('the URL', find, 20_000)
      return { ...started, url: find() as string }
    },
  }
}

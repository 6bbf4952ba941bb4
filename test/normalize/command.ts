import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const MAIN = join(ROOT, 'dist', 'main.js')

/** Builds the command if the sources are newer than what is built. */
export const build = (): void => {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'setup.mjs')], { stdio: 'ignore' })
}

export interface Run {
  /** The lines of standard output. */
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly errors: string
  readonly status: number | null
}

/** Runs `marketprism normalize` to its end. */
export function normalize(args: readonly string[], input: string | Buffer = ''): Run {
  const child = spawnSync(process.execPath, [MAIN, 'normalize', ...args], { input, maxBuffer: 2 ** 28 })
  const rows = child.stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  return { rows, errors: child.stderr.toString(), status: child.status }
}

/** A folder for captures of one test file; `remove` when it is done. */
export function captures() {
  const folder = mkdtempSync(join(tmpdir(), 'normalize-'))
  return {
    folder,
    /** Writes a file of lines, or of bytes, and says where it is. */
    write(name: string, content: readonly string[] | Buffer): string {
      const path = join(folder, name)
      writeFileSync(path, Buffer.isBuffer(content) ? content : `${content.join('\n')}\n`)
      return path
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

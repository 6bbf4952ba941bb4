/** ClickHouse's own engine behind its HTTP interface, as a process that can be killed and frozen; see tools/clickhouse. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const TOOLS = fileURLToPath(new URL('../../../../tools/clickhouse', import.meta.url))

/** Why it cannot run; `undefined`: it can. */
export const clickhouseMissing = (): string | undefined =>
  existsSync(join(TOOLS, 'node_modules/@chdb'))
    ? undefined
    : 'the engine of ClickHouse is not installed (`npm install` in tools/clickhouse, 546 MB)'

export class ClickHouseEngine {
  readonly #folder: string
  #port = '0'
  #child: ChildProcess | undefined

  /** `folder`: its data; kept. */
  constructor(folder: string) {
    this.#folder = folder
  }

  get port(): number {
    return Number(this.#port)
  }

  /** Resolves when it answers; on the same port every time. */
  async start(): Promise<void> {
    const args = [join(TOOLS, 'server.mjs'), this.#folder, this.#port]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    this.#port = await listening(child)
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** In order. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  /** It keeps its connections and answers nothing. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** The answer as text. Errors: rejects with the engine's words. */
  async query(sql: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}`, { method: 'POST', body: sql })
    const text = await answer.text()
    if (!answer.ok) throw new Error(text)
    return text
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    child.kill('SIGCONT')
    await ended
  }
}

/** The port that it tells. Errors: rejects when it ends before. */
async function listening(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout as NodeJS.ReadableStream) {
    text += chunk.toString()
    const port = /listening (\d+)/.exec(text)?.[1]
    if (port !== undefined) return port
  }
  throw new Error('the engine of ClickHouse did not start; its words are above')
}

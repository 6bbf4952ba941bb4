/** A real nats-server with a JetStream store of its own, that proofs and tests can stop, freeze, kill and set back. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PROGRAM = 'nats-server'

/** Why it cannot run; `undefined`: it can. */
export const natsMissing = (): string | undefined =>
  spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).status === 0
    ? undefined
    : `${PROGRAM} is not installed (apt-get install nats-server)`

export interface NatsServerOptions {
  /** More lines of the server's configuration. */
  readonly config?: string
  /** `tls` where the server asks for it. */
  readonly scheme?: 'nats' | 'tls'
}

export class NatsServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'nats-'))
  readonly #options: NatsServerOptions
  #port = -1
  #child: ChildProcess | undefined

  private constructor(options: NatsServerOptions) {
    this.#options = options
  }

  static async start(options: NatsServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(options)
    await server.start()
    return server
  }

  get url(): string {
    return `${this.#options.scheme ?? 'nats'}://localhost:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('the server does not run')
    return pid
  }

  /** Writes a file beside the store, for the configuration to name. */
  write(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  /** Resolves when it listens; on the same port every time. */
  async start(): Promise<void> {
    const listen = `listen: "127.0.0.1:${this.#port}"\njetstream { store_dir: "${this.#store}", max_mem: 64MB, max_file: 64GB }\n`
    const path = this.write('server.conf', `${listen}${this.#options.config ?? ''}\n`)
    const child = spawn(PROGRAM, ['-c', path], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child = child
    await new Promise<void>((resolve, reject) => {
      let log = ''
      child.stderr?.on('data', (bytes: Buffer) => {
        log += bytes.toString()
        const port = /Listening for client connections on \S+:(\d+)/.exec(log)?.[1]
        if (port !== undefined) this.#port = Number(port)
        if (log.includes('Server is ready')) resolve()
      })
      child.once('exit', () => reject(new Error(`the server has ended: ${log}`)))
    })
    child.stderr?.removeAllListeners('data').resume()
  }

  /** In order. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  /** Without warning. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** It keeps its connections and answers nothing. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Keeps a copy of the store under `name`; the server must not run. */
  copyStore(name: string): void {
    cpSync(this.#store, join(this.folder, name), { recursive: true })
  }

  /** Puts an older copy in the place of the store; the server must not run. */
  restoreStore(name: string): void {
    rmSync(this.#store, { recursive: true, force: true })
    cpSync(join(this.folder, name), this.#store, { recursive: true })
  }

  /** Ends it and removes all that it has left. */
  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  get #store(): string {
    return join(this.folder, 'store')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    child.kill('SIGCONT')
    await ended
  }
}

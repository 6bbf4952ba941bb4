/** The built service as a process of its own, with a configuration folder and a data folder that outlives it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { type Consumer, consumerOf, type Delivered, type Symbols } from './consumer.ts'
import type { Exchange } from './exchange.ts'
import { until } from './wait.ts'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface Child {
  readonly consumer: Consumer
  /** Resolves when the process has ended. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

/** What the API's stream brings is added to `delivered`. Resolves when the stream is subscribed; the feeds may not be. */
export async function startChild(
  folder: string,
  exchange: Exchange,
  symbols: Symbols,
  delivered: Delivered[],
): Promise<Child> {
  const config = join(folder, 'config')
  mkdirSync(config, { recursive: true })
  const exchanges = Object.fromEntries(
    ['binance', 'binance-usdm', 'okx', 'deribit'].map((id) => [
      id,
      id in symbols ? { enabled: true, symbols: symbols[id], ...exchange.options(id) } : { enabled: false },
    ]),
  )
  // JSON is YAML.
  writeFileSync(join(config, 'exchanges.yaml'), JSON.stringify({ exchanges }))
  writeFileSync(
    join(config, 'service.yaml'),
    JSON.stringify({ data_dir: join(folder, 'data'), api: { port: 0 }, log: { format: 'json' } }),
  )
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [MAIN, 'start', '--config', config], { cwd: folder, env: { PATH } })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const { log, url } = await readLog(child)
  const socket = await openStream(url)
  socket.on('message', (data) => {
    const message = JSON.parse(String(data))
    if (message.type !== undefined) delivered.push(message)
  })
  socket.send(JSON.stringify({ op: 'subscribe' }))
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  return {
    consumer: consumerOf(url, delivered, log, stop),
    async kill(signal) {
      child.kill(signal)
      await ended
    },
  }
}

/** Until the collector is there the stream is refused. */
async function openStream(url: string): Promise<WebSocket> {
  for (;;) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/stream`)
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.on('open', () => resolve(true))
      socket.on('error', () => resolve(false))
    })
    if (isOpen) return socket
  }
}

async function readLog(child: ChildProcess): Promise<{ log: Delivered[]; url: string }> {
  const log: Delivered[] = []
  let rest = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) log.push(JSON.parse(line))
  })
  const find = () => log.find(({ event }) => event === 'service_started')?.url as string | undefined
  await until(() => `the service: ${JSON.stringify(log)}`, find)
  return { log, url: find() as string }
}

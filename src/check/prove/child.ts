/** The service as a process of its own, and what a client of its API gets to see of it. */

import { type ChildProcess, spawn } from 'node:child_process'
import type { Channel, EventType, GapCause, GapState, MarketEvent } from '../../model/event.ts'
import { sleep } from '../../platform/clock.ts'
import { systemPlatform } from '../../platform/system.ts'
import { comes } from './wait.ts'

/** A gap as the API shows it, as far as a proof reads it. */
export interface GapRecord {
  readonly gap_id: string
  readonly venue: string
  readonly symbol: string
  readonly channel: Channel
  readonly cause: GapCause
  readonly state: GapState
  readonly start_time: string
  readonly end_time: string | null
  readonly lost: number | null
  readonly healed: number | null
}

export interface Exit {
  readonly code: number | null
  readonly atUs: number
}

export interface ChildOptions {
  /** The built program. */
  readonly main: string
  /** Of the configuration. */
  readonly folder: string
  /** What is taken of the child's stream; trades unless said. */
  readonly types?: readonly EventType[]
  /** Every event of the child's stream. */
  readonly onEvent: (event: MarketEvent) => void
}

const ANSWER_TIMEOUT_MS = 10_000
const BYTES_MAX = 64 * 1024 * 1024
const START_MS_MAX = 120_000
const RECONNECT_MS = 5
/** Output kept to show why a child did not start. */
const OUTPUT_MAX = 20_000

/** Errors: rejects when the child ends or says nothing before its API is there. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = new Child(options)
  const { clock } = systemPlatform()
  await comes(clock, () => child.url !== undefined || child.isOver, START_MS_MAX)
  if (child.url === undefined) {
    child.kill('SIGKILL')
    throw new Error(`the service did not start: ${child.output}`)
  }
  child.listen()
  return child
}

export class Child {
  readonly #options: ChildOptions
  readonly #process: ChildProcess
  readonly #platform = systemPlatform()
  readonly exit: Promise<Exit>
  output = ''
  isOver = false
  /** How often the stream of events broke off while the process ran. */
  cuts = 0

  constructor(options: ChildOptions) {
    this.#options = options
    this.#process = spawn(process.execPath, [options.main, 'start', '--config', options.folder], {
      cwd: options.folder,
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const keep = (chunk: Buffer) => {
      this.output += chunk.toString()
      if (this.output.length > 2 * OUTPUT_MAX)
        this.output = this.output.slice(0, OUTPUT_MAX) + this.output.slice(-OUTPUT_MAX / 2)
    }
    this.#process.stdout?.on('data', keep)
    this.#process.stderr?.on('data', keep)
    this.exit = new Promise((resolve) => {
      this.#process.on('exit', (code) => {
        this.isOver = true
        resolve({ code, atUs: this.#platform.clock.nowUs() })
      })
    })
  }

  /** Once the log has told it. */
  get url(): string | undefined {
    return /answers at (http:\/\/[\w.:]+)/.exec(this.output)?.[1]
  }

  /** Takes the stream of events from now on; tries on until the service takes clients. */
  listen(): void {
    const { clock, net } = this.#platform
    const url = `${this.url?.replace('http', 'ws')}/api/v1/stream`
    let isOpen = false
    const socket = net.connect(
      { url, connectTimeoutMs: ANSWER_TIMEOUT_MS, frameBytesMax: BYTES_MAX },
      {
        open: () => {
          isOpen = true
          socket.send(JSON.stringify({ op: 'subscribe', types: this.#options.types ?? ['trade'] }))
        },
        frame: (bytes) => {
          const message = JSON.parse(bytes.toString()) as MarketEvent | { readonly op: string }
          if ('type' in message) this.#options.onEvent(message)
        },
        alive: () => {},
        closed: () => {
          if (isOpen && !this.isOver) this.cuts++
          if (!this.isOver) clock.after(RECONNECT_MS, () => !this.isOver && this.listen())
        },
      },
    )
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.#process.kill(signal)
  }

  /** `undefined`: no good answer. */
  async get<Data>(path: string): Promise<Data | undefined> {
    const request = { url: this.url + path, timeoutMs: ANSWER_TIMEOUT_MS, bodyBytesMax: BYTES_MAX }
    const answer = await this.#platform.http.get(request).catch(() => undefined)
    if (answer?.status !== 200) return undefined
    return (JSON.parse(answer.body.toString()) as { readonly data: Data }).data
  }

  /** Every feed is live, and no gap is open. Resolves with whether that came within `deadlineMs`. */
  async settles(deadlineMs: number): Promise<boolean> {
    const { clock } = this.#platform
    for (const endMs = clock.monotonicMs() + deadlineMs; clock.monotonicMs() < endMs; await sleep(clock, 100)) {
      const feeds = await this.get<{ feeds: readonly { state: string }[] }>('/api/v1/feeds')
      if (feeds?.feeds.every(({ state }) => state === 'live') !== true || feeds.feeds.length === 0) continue
      const gaps = await this.get<{ count: number }>('/api/v1/gaps?state=open&limit=1')
      if (gaps?.count === 0) return true
    }
    return false
  }

  /** Every value of a metric of numbers; none while there is no answer. */
  async metric(name: string): Promise<number[]> {
    const request = { url: `${this.url}/metrics`, timeoutMs: ANSWER_TIMEOUT_MS, bodyBytesMax: BYTES_MAX }
    const text = (await this.#platform.http.get(request).catch(() => undefined))?.body.toString() ?? ''
    return [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].map(([, value]) => Number(value))
  }

  /** Every sink has all of the log but the last few records. */
  async hasDelivered(lagMax: number): Promise<boolean> {
    const lags = await this.metric('marketprism_sink_lag_records')
    return lags.length > 0 && lags.every((lag) => lag <= lagMax)
  }

  /** All of a venue's channel. */
  async gaps(venue: string, channel: string): Promise<readonly GapRecord[]> {
    const path = `/api/v1/gaps?venue=${venue}&type=${channel}&limit=1000`
    return (await this.get<{ gaps: readonly GapRecord[] }>(path))?.gaps ?? []
  }
}

/** Recordings: `{"ts":<ms or null>,"venue":…,"msg":<raw message>}`, one a line, plain or gzip; REST answers have a `url`. */

import { existsSync } from 'node:fs'
import { PrismError } from '../model/errors.ts'
import { readLines } from '../platform/lines.ts'
import { FRAME_TOPICS, type ReplayTopic } from './replay-topics.ts'

export interface RecordedFrame {
  readonly venue: string
  /** Since the first frame of its file. */
  readonly atMs: number
  readonly topic: ReplayTopic
  /** Byte for byte. */
  readonly text: string
}

export interface RecordedAnswer {
  readonly venue: string
  /** Since the first frame of the session; negative if it came before. */
  readonly atMs: number
  readonly url: URL
  readonly body: string
}

export interface Capture {
  /** In the order of their times. */
  readonly frames: readonly RecordedFrame[]
  readonly answers: readonly RecordedAnswer[]
  /** Acks, errors and heartbeats of the recording, which the simulator makes itself. */
  readonly controlFrames: number
}

/**
 * Reads recordings and the REST answers of their sessions: those named in `rest`, else the file beside each recording.
 * Recordings of several files start together. Errors: throws `INVALID_PARAMETERS` naming file and line.
 */
export async function loadCaptures(files: readonly string[], rest: readonly string[]): Promise<Capture> {
  const captures = []
  for (const [index, file] of files.entries()) {
    const beside = rest.length === 0 ? restBeside(file) : rest.length === files.length ? rest[index] : undefined
    captures.push(await loadCapture(file, beside === undefined ? [] : [beside]))
  }
  // Not one for each recording: they all belong to the first.
  if (rest.length > 0 && rest.length !== files.length && files[0]) captures[0] = await loadCapture(files[0], rest)
  return {
    frames: captures.flatMap(({ frames }) => frames).sort((a, b) => a.atMs - b.atMs),
    answers: captures.flatMap(({ answers }) => answers).sort((a, b) => a.atMs - b.atMs),
    controlFrames: captures.reduce((sum, { controlFrames }) => sum + controlFrames, 0),
  }
}

/** `session.rest.jsonl.gz` beside `session.ws.jsonl.gz`. */
function restBeside(file: string): string | undefined {
  const base = file.replace(/\.ws\.jsonl(\.gz)?$/, '.rest.jsonl')
  return base === file ? undefined : [`${base}.gz`, base].find((path) => existsSync(path))
}

async function loadCapture(file: string, rest: readonly string[]): Promise<Capture> {
  const frames: RecordedFrame[] = []
  let controlFrames = 0
  let startMs: number | undefined
  let lastMs = 0
  for await (const { head, message, where } of rows(file)) {
    if (head.dir === 'sent') continue
    const topicOf = FRAME_TOPICS[String(head.venue)]
    if (!topicOf) throw bad(`${where}: venue: expected one of ${Object.keys(FRAME_TOPICS).join(', ')}`)
    const parsed = parseObject(message)
    if (!parsed) throw bad(`${where}: msg: expected a JSON object`)
    const timeMs = timeOf(head.ts, parsed) ?? lastMs
    startMs ??= timeMs
    lastMs = timeMs
    const topic = topicOf(parsed)
    if (topic) frames.push({ venue: String(head.venue), atMs: timeMs - startMs, topic, text: message })
    else controlFrames++
  }
  const answers: RecordedAnswer[] = []
  for (const path of rest) {
    for await (const { head, message, where } of rows(path)) {
      const url = typeof head.url === 'string' ? parseUrl(head.url) : undefined
      if (!url) throw bad(`${where}: url: expected a URL`)
      const timeMs = timeOf(head.ts, parseObject(message) ?? {}) ?? startMs ?? 0
      answers.push({ venue: String(head.venue), atMs: timeMs - (startMs ?? timeMs), url, body: message })
    }
  }
  return { frames, answers, controlFrames }
}

interface Row {
  readonly head: Readonly<Record<string, unknown>>
  readonly message: string
  readonly where: string
}

const MESSAGE_KEY = '"msg":'

/** The message is cut out as it is; only the keys before it are parsed. */
async function* rows(file: string): AsyncGenerator<Row> {
  let line = 0
  for await (const text of readLines(file)) {
    line++
    if (text === '') continue
    const where = `${file}:${line}`
    const at = text.indexOf(MESSAGE_KEY)
    const head = at < 0 ? undefined : parseObject(`${text.slice(0, at)}"msg":null}`)
    if (!head) throw bad(`${where}: expected {"ts":…,"venue":…,"msg":…} with "msg" last`)
    yield { head, message: text.slice(at + MESSAGE_KEY.length, text.lastIndexOf('}')).trim(), where }
  }
}

/** Receive time; where it was not recorded, the venue's own event time. */
function timeOf(ts: unknown, message: Readonly<Record<string, unknown>>): number | undefined {
  if (typeof ts === 'number') return ts
  const { data } = message
  const own = message.E ?? (typeof data === 'object' && data !== null ? (data as { E?: unknown }).E : undefined)
  return typeof own === 'number' ? own : undefined
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

const bad = (message: string): PrismError => new PrismError('INVALID_PARAMETERS', `not a recording: ${message}`)

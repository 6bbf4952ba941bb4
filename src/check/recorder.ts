/** Where the trace of a run goes: to those who want it, and into a hash of what left the collector. */

import { createHash } from 'node:crypto'
import type { TraceEntry } from './trace.ts'

export interface TraceSink {
  add(entry: TraceEntry): void
}

export interface Recorder extends TraceSink {
  readonly entries: number
  readonly events: number
  /** Of all events so far, in order and with their times. */
  hash(): string
}

/** Text is hashed in pieces of about this length. */
const PIECE_LENGTH = 16_384

export function createRecorder(sinks: readonly TraceSink[]): Recorder {
  const hash = createHash('sha256')
  let piece = ''
  let entries = 0
  let events = 0
  return {
    get entries() {
      return entries
    },
    get events() {
      return events
    },
    add(entry) {
      entries++
      if (entry.kind === 'event') {
        events++
        piece += `${entry.atUs} ${JSON.stringify(entry.event)}\n`
        if (piece.length > PIECE_LENGTH) {
          hash.update(piece)
          piece = ''
        }
      }
      for (const sink of sinks) sink.add(entry)
    },
    hash: () => hash.copy().update(piece).digest('hex').slice(0, 16),
  }
}

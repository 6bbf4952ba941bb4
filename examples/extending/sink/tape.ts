/** A sink in its smallest form: every event is a line of a text file, once, over kills and restarts. */

import { join } from 'node:path'
import type { SinkMaker } from '../../../src/collector/sinks.ts'
import type { AppendFile } from '../../../src/platform/platform.ts'
import type { Batch, Held, Sink, SinkPorts, SinkTraits } from '../../../src/sinks/sink.ts'

/** `<number in the log> <event as JSON>`: what stands last tells how far the file is. */
export class TapeSink implements Sink {
  readonly traits: SinkTraits = {
    recordsMax: 1_000,
    bytesMax: 1_000_000,
    ageMs: 100,
    batchesMax: 1,
    hasFixedBatches: false,
  }
  /** Shown as `marketprism_sink_counts_total{sink="tape",what="lines"}`. */
  readonly counts = { lines: 0 }
  readonly #ports: SinkPorts
  readonly #path: string
  #file: AppendFile | undefined

  /** The numbers belong to one log, so each log has a file of its own. */
  constructor(folder: string, ports: SinkPorts) {
    this.#ports = ports
    this.#path = join(folder, `${ports.logId}.tape`)
  }

  /** A line that a kill has cut short is taken off; it comes again. A real sink would read the end of the file alone. */
  async open(): Promise<Held> {
    const { files } = this.#ports.platform
    const text = (await files.read(this.#path)) ?? ''
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    if (whole.length < text.length) await files.truncate(this.#path, Buffer.byteLength(whole))
    this.#file = files.append(this.#path)
    const last = whole.trimEnd().split('\n').at(-1) ?? ''
    return { throughLsn: Number(last.split(' ', 1)[0]) }
  }

  async write(batch: Batch): Promise<void> {
    const file = this.#file
    if (file === undefined) throw new Error('the tape is not open')
    for await (const records of batch.records()) {
      file.append(records.map(({ lsn, body }) => `${lsn} ${body}\n`).join(''))
      this.counts.lines += records.length
    }
    file.sync()
  }

  async close(): Promise<void> {
    this.#file?.close()
    this.#file = undefined
  }
}

/** Its line in the registry, `src/collector/sinks.ts`. */
export const tape: SinkMaker = (config) => ({
  name: 'tape',
  create: (ports) => new TapeSink(join(config.data_dir, 'tape'), ports),
})

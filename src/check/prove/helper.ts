/** Another process of a proof, and what it tells. */

import { fork } from 'node:child_process'
import { dirname, join } from 'node:path'

export class Helper<Report> {
  /** `undefined`: it has told nothing yet. */
  newest: Report | undefined
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
  readonly #process
  #reports: Report[] = []

  /** `program`: below the folder of the proofs. It is given `options` as JSON, and ends when its parent does. */
  constructor(main: string, program: string, options: object) {
    const path = join(dirname(main), 'check', 'prove', program)
    this.#process = fork(path, [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.ended = new Promise((resolve) => void this.#process.once('exit', () => resolve()))
    this.#process.on('message', (report: Report) => {
      this.newest = report
      this.#reports.push(report)
    })
  }

  /** The reports since the last call. */
  take(): Report[] {
    return this.#reports.splice(0)
  }

  /** To be ended in order: it gets a message. */
  async end(): Promise<void> {
    this.#process.send('end')
    await this.ended
  }
}

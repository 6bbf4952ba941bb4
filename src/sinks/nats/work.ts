/** One batch that is being written: done when all of it was sent and each message has its answer. */
export class Work {
  readonly settled: Promise<void>
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}
  #left = 0
  #isSent = false

  constructor() {
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // It may fail while the batch is still being read, when nobody waits for it yet.
    this.settled.catch(() => {})
  }

  begin(): void {
    this.#left++
  }

  end(): void {
    this.#left--
    this.#check()
  }

  /** Nothing more will be begun. */
  sent(): void {
    this.#isSent = true
    this.#check()
  }

  fail(error: Error): void {
    this.#reject(error)
  }

  #check(): void {
    if (this.#left === 0 && this.#isSent) this.#resolve()
  }
}

/** The newest entries of a list that never grows beyond its bound. */
export class Ring<Entry> {
  readonly #entries: Entry[] = []
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  push(entry: Entry): void {
    this.#entries.unshift(entry)
    if (this.#entries.length > this.#max) this.#entries.pop()
  }

  clear(): void {
    this.#entries.length = 0
  }

  /** The newest first. */
  get newestFirst(): readonly Entry[] {
    return this.#entries
  }
}

/** The newest ids of a stream, so that what a venue sends twice is taken once. */
export class RecentIds {
  readonly #ids = new Set<string>()
  readonly #countMax: number

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** False: it was added before. The oldest id is forgotten when there are too many. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    if (this.#ids.size > this.#countMax) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest)
        break
      }
    }
    return true
  }
}

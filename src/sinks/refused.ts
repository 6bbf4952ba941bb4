/** Records that a store has refused: a batch that comes again, because another part of it failed, has them again. */
export class Refused {
  readonly #lsns = new Set<number>()
  #cursorLsn = 0

  /** `cursorLsn`: what is up to here does not come again. */
  has(lsn: number, cursorLsn: number): boolean {
    if (cursorLsn !== this.#cursorLsn) for (const each of this.#lsns) if (each <= cursorLsn) this.#lsns.delete(each)
    this.#cursorLsn = cursorLsn
    return this.#lsns.has(lsn)
  }

  add(lsn: number): void {
    this.#lsns.add(lsn)
  }
}

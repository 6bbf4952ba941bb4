/** Who waits for a record that can be read. */
export class Waiting {
  #waiting: { readonly lsn: number; readonly resolve: () => void }[] = []

  until(lsn: number): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push({ lsn, resolve }))
  }

  /** Records up to here can be read. */
  wake(lsn: number): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = waiting.filter((each) => each.lsn > lsn)
    for (const each of waiting) if (each.lsn <= lsn) each.resolve()
  }
}

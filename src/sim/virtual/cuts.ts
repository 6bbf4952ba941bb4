/** Times in which no bytes pass on a connection; they may overlap, and the newest decides what becomes of what is sent. */

export interface Cut {
  /** Packets that wait for its end, of both directions; absent where it swallows them. */
  readonly held: (() => void)[] | undefined
}

export class Cuts {
  readonly #cuts: Cut[] = []

  /** `undefined`: bytes pass. */
  get newest(): Cut | undefined {
    return this.#cuts.at(-1)
  }

  /** The result ends it. What another cut holds is sent again, into this one. */
  add(isHeld: boolean): () => void {
    const cut: Cut = { held: isHeld ? [] : undefined }
    const before = this.newest?.held?.splice(0) ?? []
    this.#cuts.push(cut)
    for (const pass of before) pass()
    return () => {
      const at = this.#cuts.indexOf(cut)
      if (at >= 0) this.#cuts.splice(at, 1)
      for (const pass of cut.held?.splice(0) ?? []) pass()
    }
  }
}

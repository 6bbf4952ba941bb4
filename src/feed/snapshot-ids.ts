/** A fetched snapshot has its sequence in its id; a venue that was wrong gives other levels at the same sequence later. */

import type { BookSnapshot } from '../model/event.ts'
import { hashText } from '../model/hash.ts'

export class SnapshotIds {
  /** By symbol: the last that left. */
  readonly #last = new Map<string, { readonly id: string; readonly levels: string }>()

  /** The snapshot under an id that no other levels had before it. */
  distinct(snapshot: BookSnapshot): BookSnapshot {
    const levels = hashText(JSON.stringify([snapshot.bids, snapshot.asks]))
    const last = this.#last.get(snapshot.symbol)
    const isOther = last?.id === snapshot.id && last.levels !== levels
    if (!isOther) this.#last.set(snapshot.symbol, { id: snapshot.id, levels })
    return isOther ? { ...snapshot, id: `${snapshot.id}~${levels}` } : snapshot
  }

  forget(symbol: string): void {
    this.#last.delete(symbol)
  }
}

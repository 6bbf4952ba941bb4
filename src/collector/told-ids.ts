/** The newest id of each stream of the log, so that a fact that is told again after a restart is known. */

import type { MarketEvent } from '../model/event.ts'
import { routeText } from '../sinks/route.ts'
import { type Stream, streamOf } from '../spool/frame.ts'

interface Told {
  readonly key: string
  readonly stream: Stream
  id: string | undefined
  /** Of the record that told it; 0: one of an earlier process. */
  lsn: number
  /** It is in the ledger's file. */
  isSaved: boolean
}

export class ToldIds {
  readonly #streams = new Map<string, Told>()
  /** Those of earlier processes whose stream has told nothing yet. */
  readonly #restored = new Map<string, string>()
  /** Where the log was when {@link quiet} was called last. */
  #quietLsn = 0

  of(event: MarketEvent): Told {
    // Without the market: what is known of it may change.
    const key = `${event.type} ${event.venue} ${event.symbol}`
    let told = this.#streams.get(key)
    if (told === undefined) {
      told = { key, stream: streamOf(routeText(event)), id: this.#restored.get(key), lsn: 0, isSaved: true }
      this.#streams.set(key, told)
      this.#restored.delete(key)
    }
    return told
  }

  restore(ids: Iterable<readonly [key: string, id: string]>): void {
    for (const [key, id] of ids) this.#restored.set(key, id)
  }

  /** Ids that are older than the last call and were never yielded: those that are newer the log tells. */
  quiet(lastLsn: number): [key: string, id: string][] {
    const quiet: [string, string][] = []
    for (const told of this.#streams.values()) {
      if (told.isSaved || told.id === undefined || told.lsn > this.#quietLsn) continue
      told.isSaved = true
      quiet.push([told.key, told.id])
    }
    this.#quietLsn = lastLsn
    return quiet
  }

  all(): [key: string, id: string][] {
    const told = [...this.#streams.values()].flatMap(({ key, id }): [string, string][] =>
      id === undefined ? [] : [[key, id]],
    )
    return [...this.#restored, ...told]
  }
}

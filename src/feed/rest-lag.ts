/** A venue names a number below what its stream has brought: REST lags behind, or the venue counts anew. */

/** Nodes that answer over REST may be behind the stream for so long. */
export const REST_LAG_MS_MAX = 30_000

export class RestLag {
  /** Below which number of the stream the venue's answers are, and when the first of them was asked for. */
  #below: { readonly position: number; readonly sinceMs: number } | undefined

  /** The venue, asked at `askedMs` (monotonic), names `newest`; the stream stands at `position`. True: this is no lag. */
  isExceeded(newest: number, position: number, askedMs: number): boolean {
    if (newest >= position) this.#below = undefined
    else if (this.#below?.position !== position) this.#below = { position, sinceMs: askedMs }
    return this.#below !== undefined && askedMs - this.#below.sinceMs > REST_LAG_MS_MAX
  }
}

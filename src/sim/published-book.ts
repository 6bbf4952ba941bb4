import type { Level } from '../model/event.ts'

/** One state of the true book, as far as the venue shows it. Best first. */
export interface BookView {
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
  readonly updateId: number
}

/** A state that the venue has published, under the venue's own sequence number. */
export interface BookImage extends BookView {
  readonly sequence: number
  readonly publishedMs: number
}

export interface LevelChange {
  readonly kind: 'new' | 'change' | 'delete'
  readonly price: string
  readonly quantity: string
}

export interface BookChange {
  readonly before: BookImage
  readonly after: BookImage
  readonly bids: readonly LevelChange[]
  readonly asks: readonly LevelChange[]
}

/** What a venue has published of one book: images at its own pace, and what changed from one to the next. */
export interface PublishedBook {
  /** The newest published state: a snapshot sent now continues with the next change. */
  readonly image: BookImage
  /** Publishes the true state. `undefined`: what the venue shows has not changed. */
  refresh(nowMs: number): BookChange | undefined
  /** The newest state that was published at least `lagMs` ago, else the oldest one still known. */
  lagged(nowMs: number, lagMs: number): BookImage
}

export function createPublishedBook(options: {
  readonly nowMs: number
  readonly lagMsMax: number
  /** The truth now. */
  read(): BookView
  /** The venue's sequence number for a new state. */
  number(updateId: number, previous: number | undefined): number
}): PublishedBook {
  const first = options.read()
  let image: BookImage = { ...first, sequence: options.number(first.updateId, undefined), publishedMs: options.nowMs }
  const history = [image]

  /** Keeps every image that a lag of up to `lagMsMax` can ask for. */
  function remember(nowMs: number): void {
    history.push(image)
    while ((history[1]?.publishedMs ?? nowMs) < nowMs - options.lagMsMax) history.shift()
  }

  return {
    get image() {
      return image
    },
    refresh(nowMs) {
      const before = image
      const view = options.read()
      const bids = sideChanges(before.bids, view.bids)
      const asks = sideChanges(before.asks, view.asks)
      if (bids.length === 0 && asks.length === 0) return undefined
      image = { ...view, sequence: options.number(view.updateId, before.sequence), publishedMs: nowMs }
      remember(nowMs)
      return { before, after: image, bids, asks }
    },
    lagged: (nowMs, lagMs) => history.findLast((known) => known.publishedMs <= nowMs - lagMs) ?? history[0] ?? image,
  }
}

/** The rows that turn `before` into `after`; a level that left the view is a `delete`. */
function sideChanges(before: readonly Level[], after: readonly Level[]): LevelChange[] {
  const changes: LevelChange[] = []
  const old = new Map(before)
  for (const [price, quantity] of after) {
    const known = old.get(price)
    if (known !== quantity) changes.push({ kind: known === undefined ? 'new' : 'change', price, quantity })
    old.delete(price)
  }
  for (const price of old.keys()) changes.push({ kind: 'delete', price, quantity: '0' })
  return changes
}

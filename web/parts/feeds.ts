/** Every instrument with the state of its feeds; only the rows in sight exist in the page. */

import { byId, chip, setChip, setData, setText } from '../core/dom.ts'
import { byInstrument, type FeedRow } from '../core/feed-rows.ts'
import { duration, whole } from '../core/format.ts'
import { toneOf } from '../core/state-tone.ts'
import { CHANNELS, type Feeds } from '../core/types.ts'
import { choice } from './choice.ts'
import { VirtualTable } from './virtual-table.ts'

export interface FeedsOptions {
  readonly serviceMs: () => number
  /** The newest price of an instrument, as the venue wrote it. */
  readonly price: (key: string) => string | undefined
  readonly chosen: () => string | null
  readonly onChoose: (key: string) => void
}

export function createFeeds({ serviceMs, price, chosen, onChoose }: FeedsOptions) {
  let rows: readonly FeedRow[] = []
  let isTroubleOnly = false
  let words: readonly string[] = []
  const table = new VirtualTable<FeedRow>({
    box: byId('feeds-table'),
    rowPx: 33,
    columns: [
      { title: 'Venue', class: 'venue' },
      { title: 'Symbol', class: 'symbol' },
      { title: 'Last price', class: 'number price' },
      ...CHANNELS.map((channel) => ({ title: channel[0]?.toUpperCase() + channel.slice(1), class: 'state' })),
      { title: 'Newest', class: 'number age' },
      { title: 'Events', class: 'number events' },
    ],
    make(cells) {
      for (const cell of cells.slice(3, 3 + CHANNELS.length)) cell.append(chip())
    },
    fill: fillRow,
    onChoose: ({ key }) => onChoose(key),
    empty: 'No feed is shown: nothing is collected, or nothing fits the filter.',
  })

  function fillRow(cells: readonly HTMLElement[], row: FeedRow, node: HTMLElement): void {
    const [venue, symbol, last, ...rest] = cells
    if (!venue || !symbol || !last) return
    setData(node, 'instrument', row.key)
    node.setAttribute('aria-selected', String(row.key === chosen()))
    setText(venue, row.venue)
    setText(symbol, row.symbol)
    setText(last, price(row.key) ?? '–')
    CHANNELS.forEach((channel, index) => {
      const mark = rest[index]?.firstElementChild
      const feed = row.feeds.get(channel)
      if (mark instanceof HTMLElement) setChip(mark, toneOf(feed?.state ?? ''), feed?.state ?? '–', feed?.reason ?? '')
    })
    const [age, events] = rest.slice(CHANNELS.length)
    if (age) setText(age, row.lastMs === undefined ? 'never' : duration(serviceMs() - row.lastMs))
    if (events) setText(events, whole(row.events))
  }

  function filter(): void {
    const fits = ({ key, isTroubled }: FeedRow): boolean =>
      (!isTroubleOnly || isTroubled) && words.every((word) => key.toLowerCase().includes(word))
    const shown = rows.filter(fits)
    table.rows = shown
    const total = rows.length
    const part = shown.length === total ? `${whole(total)}` : `${whole(shown.length)} of ${whole(total)}`
    setText(
      byId('feeds-note'),
      `${part} ${total === 1 ? 'instrument' : 'instruments'}, ${whole(rows.filter((row) => row.isTroubled).length)} not live`,
    )
  }

  choice(byId('feeds-choice'), (value) => {
    isTroubleOnly = value === 'trouble'
    filter()
  })
  const search = byId('feeds-search') as HTMLInputElement
  search.addEventListener('input', () => {
    words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
    filter()
  })
  return {
    show({ feeds }: Feeds): void {
      rows = byInstrument(feeds)
      filter()
    },
    /** Prices and ages go on between answers. */
    tick: () => table.refresh(),
  }
}

/** The newest trades of the chosen instrument, newest first. Breaks in the stream are shown, not hidden. */

import { byId, el, fillList, setData, setDecimal, setText, setTitle } from '../core/dom.ts'
import { timeOfDayMs } from '../core/format.ts'
import { onFrame } from '../core/frame.ts'
import { Ring } from '../core/ring.ts'

const KEPT = 200
const SHOWN = 40

export interface TapeTrade {
  readonly id: string
  readonly price: string
  readonly quantity: string
  readonly side: 'buy' | 'sell'
  readonly timeMs: number
}

type Entry = TapeTrade | { readonly note: string }

export function createTape() {
  const list = byId('tape')
  const entries = new Ring<Entry>(KEPT)
  let ids = new Set<string>()
  const draw = onFrame(() => {
    fillList(list, entries.newestFirst.slice(0, SHOWN), makeRow, fillRow)
    const count = entries.newestFirst.filter((entry) => 'id' in entry).length
    setText(byId('tape-note'), count === 0 ? 'none yet' : '')
  })
  return {
    /** Another instrument. */
    clear(): void {
      entries.clear()
      ids = new Set()
      draw()
    },
    /** A trade that is shown already is left out. */
    add(trade: TapeTrade): void {
      if (ids.has(trade.id)) return
      if (ids.size >= 2 * KEPT) ids = new Set(entries.newestFirst.flatMap((entry) => ('id' in entry ? [entry.id] : [])))
      ids.add(trade.id)
      entries.push(trade)
      draw()
    },
    note(text: string): void {
      const newest = entries.newestFirst[0]
      if (newest === undefined || 'note' in newest) return
      entries.push({ note: text })
      draw()
    },
  }
}

const makeRow = (): HTMLElement =>
  el('li', {}, el('time'), el('span', { class: 'price' }), el('span', { class: 'quantity' }))

function fillRow(node: HTMLElement, entry: Entry): void {
  const [time, price, quantity] = node.children as unknown as HTMLElement[]
  if (!time || !price || !quantity) return
  const isTrade = 'id' in entry
  setData(node, 'side', isTrade ? entry.side : 'note')
  setData(node, 'trade', isTrade ? entry.id : '')
  setText(time, isTrade ? timeOfDayMs(entry.timeMs) : entry.note)
  setDecimal(price, isTrade ? entry.price : '')
  setDecimal(quantity, isTrade ? entry.quantity : '')
  setTitle(node, isTrade ? `${entry.side} ${entry.quantity} at ${entry.price}` : '')
}

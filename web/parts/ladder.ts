/** The best levels of the book: asks above, bids below, the spread between. */

import type { LocalBook } from '../core/book.ts'
import { subtract } from '../core/decimal.ts'
import { byId, el, setChip, setData, setDecimal, setText } from '../core/dom.ts'
import { quantity } from '../core/format.ts'
import type { Level } from '../core/types.ts'

export const LADDER_LEVELS = 12

interface Row {
  readonly node: HTMLElement
  readonly price: HTMLElement
  readonly quantity: HTMLElement
  readonly sum: HTMLElement
}

const WORDS = { waiting: 'waiting', live: 'live', unproven: 'not proven' } as const
const TONES = { waiting: 'warn', live: 'ok', unproven: 'bad' } as const

export function createLadder() {
  const box = byId('ladder')
  const titles = ['Price', 'Quantity', 'Sum'].map((text) => el('th', { text, attrs: { scope: 'col' } }))
  const asks = Array.from({ length: LADDER_LEVELS }, () => makeRow('ask'))
  const bids = Array.from({ length: LADDER_LEVELS }, () => makeRow('bid'))
  const spread = el('td', { text: '–', attrs: { colspan: '3' } })
  box.append(
    el('thead', {}, el('tr', {}, ...titles)),
    el('tbody', {}, ...asks.map(({ node }) => node).reverse()),
    el('tbody', { class: 'spread' }, el('tr', {}, spread)),
    el('tbody', {}, ...bids.map(({ node }) => node)),
  )
  return {
    draw(book: LocalBook): void {
      setChip(byId('book-state'), TONES[book.phase], WORDS[book.phase], book.reason)
      setText(byId('book-note'), book.phase === 'live' ? `sequence ${book.sequence ?? '–'}` : book.reason)
      setData(box, 'phase', book.phase)
      setData(box, 'sequence', String(book.sequence ?? ''))
      const [bidLevels, askLevels] = [book.bids, book.asks]
      const most = Math.max(total(bidLevels), total(askLevels))
      fill(bids, bidLevels, most)
      fill(asks, askLevels, most)
      const [bid, ask] = [bidLevels[0], askLevels[0]]
      setText(
        spread,
        bid && ask ? `spread ${subtract(ask[0], bid[0]) ?? '–'}` : book.phase === 'live' ? 'one side is empty' : '–',
      )
    },
  }
}

const total = (levels: readonly Level[]): number =>
  levels.slice(0, LADDER_LEVELS).reduce((sum, level) => sum + Number(level[1]), 0)

function fill(rows: readonly Row[], levels: readonly Level[], most: number): void {
  let sum = 0
  rows.forEach((row, index) => {
    const level = levels[index]
    if (level) sum += Number(level[1])
    setDecimal(row.price, level?.[0] ?? '')
    setDecimal(row.quantity, level?.[1] ?? '')
    setText(row.sum, level ? quantity(sum) : '')
    row.node.style.setProperty('--share', `${level && most > 0 ? ((sum / most) * 100).toFixed(1) : 0}%`)
  })
}

function makeRow(side: 'bid' | 'ask'): Row {
  const [price, amount, sum] = [el('td', { class: 'price' }), el('td'), el('td', { class: 'sum' })]
  return { node: el('tr', { class: side }, price, amount, sum), price, quantity: amount, sum }
}

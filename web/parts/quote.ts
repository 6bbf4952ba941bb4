/** The line above the market: last price, best bid and ask, and the venue's own figures of the day. */

import type { LocalBook } from '../core/book.ts'
import { byId, el, setData, setText } from '../core/dom.ts'
import type { StreamEvent } from '../core/types.ts'

const NAMES = ['Last', 'Bid', 'Ask', '24 h', 'High', 'Low', 'Volume'] as const
type Name = (typeof NAMES)[number]

/** A decimal of an event, or a dash: absent is absent. */
const decimal = (value: unknown): string => (typeof value === 'string' ? value : '–')

export function createQuote() {
  const list = byId('quote')
  const values = new Map<Name, HTMLElement>(
    NAMES.map((name) => {
      const value = el('dd', { text: '–' })
      list.append(el('div', { attrs: { 'data-quote': name } }, el('dt', { text: name }), value))
      return [name, value]
    }),
  )
  const show = (name: Name, text: string): void => {
    const node = values.get(name)
    if (node) setText(node, text)
  }
  return {
    clear(): void {
      for (const name of NAMES) show(name, '–')
    },
    trade(price: string, side: string): void {
      show('Last', price)
      const node = values.get('Last')
      if (node) setData(node, 'side', side)
    },
    ticker(event: StreamEvent): void {
      const change = decimal(event.price_change_percent_24h)
      show('24 h', change === '–' ? change : `${change} %`)
      show('High', decimal(event.high_24h))
      show('Low', decimal(event.low_24h))
      show('Volume', decimal(event.volume_24h))
    },
    book(book: LocalBook): void {
      show('Bid', book.bids[0]?.[0] ?? '–')
      show('Ask', book.asks[0]?.[0] ?? '–')
    },
  }
}

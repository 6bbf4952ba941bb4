/** The choice of the instrument; kept in the page's address, so that it can be sent to others. */

import { byId, el } from '../core/dom.ts'
import { groupBy } from '../core/group.ts'
import { type Feed, type InstrumentName, keyOf } from '../core/types.ts'

const PARAMETER = 'instrument'

export function createPicker(onChoose: (name: InstrumentName) => void) {
  const select = byId('instrument') as HTMLSelectElement
  const names = new Map<string, InstrumentName>()
  let listed = ''
  let chosen = new URLSearchParams(location.search).get(PARAMETER)
  const choose = (key: string): void => {
    const name = names.get(key)
    if (name === undefined) return
    chosen = key
    select.value = key
    const url = new URL(location.href)
    url.searchParams.set(PARAMETER, key)
    history.replaceState(null, '', url)
    onChoose(name)
  }
  select.addEventListener('change', () => choose(select.value))
  return {
    choose,
    get chosen(): string | null {
      return chosen
    },
    /** The instruments that are collected; the first one with a book is chosen unless the address names one. */
    list(feeds: readonly Feed[]): void {
      const keys = [...new Set(feeds.map(keyOf))].sort()
      if (keys.join(' ') === listed) return
      listed = keys.join(' ')
      names.clear()
      for (const { venue, symbol } of feeds) names.set(keyOf({ venue, symbol }), { venue, symbol })
      select.replaceChildren(...groups(keys, names))
      const first = feeds.find(({ channel, state }) => channel === 'book' && state === 'live') ?? feeds[0]
      const wanted = chosen !== null && names.has(chosen) ? chosen : first && keyOf(first)
      if (wanted !== undefined) choose(wanted)
    },
  }
}

function groups(keys: readonly string[], names: ReadonlyMap<string, InstrumentName>): HTMLElement[] {
  const byVenue = groupBy(keys, (key) => names.get(key)?.venue ?? '')
  return [...byVenue].map(([venue, ofVenue]) => {
    const options = ofVenue.map((key) => el('option', { text: key.slice(venue.length + 1), attrs: { value: key } }))
    return el('optgroup', { attrs: { label: venue } }, ...options)
  })
}

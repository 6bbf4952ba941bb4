/** One row a venue: state of its exchange, rates, latency, feeds, freshness. */

import { byId, chip, el, setChip, setText, setTitle } from '../core/dom.ts'
import { duration, latency, rate, timeMs, whole } from '../core/format.ts'
import { toneOf } from '../core/state-tone.ts'
import type { Activity, Exchanges, Feeds } from '../core/types.ts'

interface Row {
  readonly node: HTMLElement
  readonly state: HTMLElement
  readonly cells: readonly HTMLElement[]
}

/** `serviceMs`: now by the service's clock. */
export function createVenues(serviceMs: () => number) {
  const body = byId('venues').querySelector('tbody') as HTMLElement
  const rows = new Map<string, Row>()
  const lastMessages = new Map<string, number>()
  const rowOf = (venue: string): Row => {
    const known = rows.get(venue)
    if (known !== undefined) return known
    const state = chip()
    const cells = Array.from({ length: 4 }, () => el('td', { class: 'number' }))
    const node = el(
      'tr',
      { attrs: { 'data-venue': venue } },
      el('th', { text: venue, attrs: { scope: 'row' } }),
      el('td', {}, state),
      ...cells,
    )
    const row = { node, state, cells }
    rows.set(venue, row)
    body.append(node)
    return row
  }
  return {
    exchanges({ exchanges, summary }: Exchanges, feeds: Feeds | undefined): void {
      setText(byId('venues-note'), `${summary.active_exchanges} of ${summary.total_exchanges} exchanges active`)
      const exchangeOf = new Map(feeds?.feeds.map(({ venue, exchange }) => [venue, exchange]))
      for (const [venue, exchange] of exchangeOf) {
        const facts = exchanges[exchange]
        if (facts === undefined) continue
        setChip(rowOf(venue).state, toneOf(facts.status), facts.status, facts.reason ?? '')
        const rest = facts.rest_api_available
        const sockets = facts.websocket_connected ? 'sockets open' : 'sockets not all open'
        setTitle(rowOf(venue).node, `${sockets}, REST ${rest === null ? 'not asked yet' : rest ? 'answers' : 'fails'}`)
      }
    },
    feeds({ feeds }: Feeds): void {
      const counts = new Map<string, { live: number; total: number }>()
      lastMessages.clear()
      for (const { venue, state, last_message } of feeds) {
        const count = counts.get(venue) ?? { live: 0, total: 0 }
        count.total++
        if (state === 'live') count.live++
        counts.set(venue, count)
        const ms = timeMs(last_message)
        if (ms !== undefined) lastMessages.set(venue, Math.max(ms, lastMessages.get(venue) ?? 0))
      }
      for (const [venue, { live, total }] of counts) {
        const cell = rowOf(venue).cells[2]
        if (cell) setText(cell, `${whole(live)} / ${whole(total)}`)
      }
      for (const [venue, { node }] of rows) {
        if (counts.has(venue)) continue
        node.remove()
        rows.delete(venue)
      }
    },
    activity({ venues, times }: Activity): void {
      const last = times.length - 1
      for (const { venue, messages_per_second, exchange_latency_ms } of venues) {
        const row = rows.get(venue)
        if (row === undefined || last < 0) continue
        if (row.cells[0]) setText(row.cells[0], rate(messages_per_second[last] ?? 0))
        if (row.cells[1]) setText(row.cells[1], latency(exchange_latency_ms.p50[last]))
      }
    },
    /** Ages go on between answers. */
    tick(): void {
      for (const [venue, { cells }] of rows) {
        const ms = lastMessages.get(venue)
        if (cells[3]) setText(cells[3], ms === undefined ? 'never' : `${duration(serviceMs() - ms)} ago`)
      }
    },
  }
}

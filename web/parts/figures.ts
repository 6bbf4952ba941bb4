/** The figures on top: how the whole is doing. */

import { byId, el, setData, setText, setTitle } from '../core/dom.ts'
import { compact, count, duration, rate, share, whole } from '../core/format.ts'
import { toneOf } from '../core/state-tone.ts'
import type { Activity, Completeness, Feeds, Gaps, Health, Sink, Sinks, Stats, Status } from '../core/types.ts'
import { lagText } from './operations.ts'

interface Figure {
  readonly box: HTMLElement
  readonly value: HTMLElement
  readonly more: HTMLElement
}

const NAMES = [
  'Health',
  'Feeds live',
  'Messages/s',
  'Records/min',
  'Books live',
  'Complete',
  'Open gaps',
  'Behind',
] as const

export function createFigures() {
  const list = byId('figures')
  const figures = new Map(NAMES.map((name) => [name, makeFigure(list, name)] as const))
  const show = (name: (typeof NAMES)[number], value: string, more: string, tone = ''): void => {
    const figure = figures.get(name)
    if (figure === undefined) return
    setText(figure.value, value)
    setText(figure.more, more)
    setTitle(figure.more, more)
    setData(figure.box, 'tone', tone)
  }
  return {
    health({ status, checks }: Health): void {
      const failing = Object.values(checks).filter((check) => check.status !== 'pass').length
      show(
        'Health',
        status,
        failing === 0 ? 'all checks pass' : `${failing} of ${Object.keys(checks).length} checks fail`,
        toneOf(status),
      )
    },
    feeds({ summary }: Feeds): void {
      const live = summary.states.live ?? 0
      const others = Object.entries(summary.states).filter(([state]) => state !== 'live')
      const more = others.length === 0 ? 'all of them' : others.map(([state, n]) => `${n} ${state}`).join(', ')
      show('Feeds live', `${whole(live)} / ${whole(summary.total)}`, more, live === summary.total ? 'ok' : 'warn')
    },
    stats({ collection_stats, performance_metrics, data_summary }: Stats): void {
      const { collections_per_minute, memory_usage_mb } = performance_metrics
      const { errors, websocket_connections } = collection_stats
      show('Records/min', compact(Math.round(collections_per_minute)), `${count(errors, 'error')} so far`)
      show(
        'Books live',
        whole(data_summary.orderbooks_count),
        `${count(websocket_connections, 'socket')}, ${Math.round(memory_usage_mb)} MB`,
      )
    },
    activity({ venues, times }: Activity): void {
      const last = times.length - 1
      const sum = venues.reduce((total, venue) => total + (venue.messages_per_second[last] ?? 0), 0)
      const events = venues.reduce((total, venue) => total + (venue.events_per_second[last] ?? 0), 0)
      if (last >= 0) show('Messages/s', rate(sum), `${rate(events)} events/s`)
    },
    completeness({ summary }: Completeness, window: string): void {
      const { covered_share, incomplete, feeds } = summary.verifiable
      const more = `${whole(feeds - incomplete)} of ${whole(feeds)} feeds, ${window}`
      show('Complete', share(covered_share), more, incomplete === 0 ? 'ok' : 'warn')
    },
    gaps({ summary }: Gaps, window: string): void {
      const open = summary.states.open ?? 0
      show('Open gaps', whole(open), `${whole(summary.total)} in ${window}`, open === 0 ? 'ok' : 'bad')
    },
    sinks({ sinks }: Sinks): void {
      const worst = sinks.toSorted((a, b) => lagOf(b) - lagOf(a))[0]
      const failing = sinks.filter(({ state }) => state !== 'up').length
      if (worst === undefined) show('Behind', '–', 'no sink is on')
      else {
        const isNew = worst.lag_records > 0 && worst.lag_seconds === null
        const usual = isNew ? 'nothing stored yet' : `${worst.name}, the slowest sink`
        const more = failing > 0 ? `${failing} of ${sinks.length} sinks failing` : usual
        show('Behind', isNew ? '–' : lagText(worst), more, failing > 0 ? 'bad' : 'ok')
      }
    },
    status({ version, uptime_seconds }: Status): void {
      setText(byId('version'), `${version} · up ${duration(uptime_seconds * 1000)}`)
    },
  }
}

function makeFigure(list: HTMLElement, name: string): Figure {
  const value = el('dd', { class: 'value', text: '–' })
  const more = el('dd', { class: 'more' })
  const box = el('div', { class: 'figure', attrs: { 'data-figure': name } }, el('dt', { text: name }), value, more)
  list.append(box)
  return { box, value, more }
}

/** One that has stored nothing yet is the furthest behind. */
const lagOf = ({ lag_seconds }: Sink): number => lag_seconds ?? Number.POSITIVE_INFINITY

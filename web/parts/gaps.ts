/** The gap ledger: when something was missing on which feed, and what became of it. */

import { byId, chip, el, setChip, setData, setText, setTitle } from '../core/dom.ts'
import { duration, timeOfDay, whole } from '../core/format.ts'
import { groupBy } from '../core/group.ts'
import { toneOf } from '../core/state-tone.ts'
import { type Bar, barOf, spanMs } from '../core/timeline.ts'
import { type Gap, type Gaps, keyOf } from '../core/types.ts'
import { VirtualTable } from './virtual-table.ts'

/** Feeds of the timeline; those with the newest gaps come first. */
const TRACKS_MAX = 12
export function createGaps() {
  const timeline = byId('timeline')
  const list = new VirtualTable<Gap>({
    box: byId('gap-list'),
    rowPx: 33,
    columns: [
      { title: 'Since', class: 'number since' },
      { title: 'Feed', class: 'feed' },
      { title: 'State', class: 'state' },
      { title: 'Cause', class: 'cause' },
      { title: 'Length', class: 'number length' },
      { title: 'Lost', class: 'number few' },
      { title: 'Healed', class: 'number few' },
    ],
    make: (cells) => cells[2]?.append(chip()),
    fill: fillRow,
    empty: 'No gap in this window.',
  })
  return {
    show({ gaps, summary, has_more }: Gaps, window: string, serviceMs: number): void {
      const more = has_more ? `, the newest ${whole(gaps.length)} shown` : ''
      setText(
        byId('gaps-note'),
        `${whole(summary.total)} in ${window}, ${whole(summary.incomplete)} left a loss${more}`,
      )
      list.rows = gaps
      drawTimeline(timeline, gaps, serviceMs - spanMs(window), serviceMs)
    },
  }
}

function fillRow(cells: readonly HTMLElement[], gap: Gap, node: HTMLElement): void {
  const texts = [
    timeOfDay(Date.parse(gap.start_time)),
    `${keyOf(gap)} ${gap.channel}`,
    undefined,
    gap.cause,
    duration(gap.duration_seconds * 1000),
    gap.lost === null ? '–' : whole(gap.lost),
    gap.healed === null ? '–' : whole(gap.healed),
  ]
  cells.forEach((cell, index) => {
    const text = texts[index]
    if (text !== undefined) setText(cell, text)
  })
  const mark = cells[2]?.firstElementChild
  if (mark instanceof HTMLElement) setChip(mark, toneOf(gap.state), gap.state)
  setData(node, 'gap', gap.gap_id)
  setTitle(node, gap.reason ?? '')
}

function drawTimeline(box: HTMLElement, gaps: readonly Gap[], startMs: number, endMs: number): void {
  const tracks = [...groupBy(gaps, (gap) => `${keyOf(gap)} ${gap.channel}`)]
  const shown = tracks.slice(0, TRACKS_MAX).map(([name, own]) => {
    const track = el('div', { class: 'track', attrs: { role: 'img', 'aria-label': `${name}: ${own.length} gaps` } })
    for (const gap of own) track.append(makeBar(barOf(gap, startMs, endMs)))
    return el('div', { class: 'row' }, el('span', { class: 'name', text: name, title: name }), track)
  })
  const marks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const mark = el('span', { text: timeOfDay(startMs + share * (endMs - startMs)).slice(0, 5) })
    return mark
  })
  const more =
    tracks.length > TRACKS_MAX
      ? [el('p', { class: 'foot', text: `${tracks.length - TRACKS_MAX} more feeds in the list` })]
      : []
  const axis = el('div', { class: 'row axis' }, el('span', { class: 'name' }), el('div', { class: 'marks' }, ...marks))
  box.replaceChildren(...shown, ...(shown.length > 0 ? [axis] : []), ...more)
}

function makeBar({ gap, from, width }: Bar): HTMLElement {
  const length = duration(gap.duration_seconds * 1000)
  const bar = el('i', { title: `${gap.state}: ${gap.cause}, ${length}`, attrs: { 'data-tone': toneOf(gap.state) } })
  bar.style.left = `${from}%`
  bar.style.width = `${width}%`
  return bar
}

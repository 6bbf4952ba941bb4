/** How much of the window each instrument's feeds cover, the worst first. */

import { byInstrument, type CompletenessRow, lostText } from '../core/completeness-rows.ts'
import { byId, setData, setText, setTitle } from '../core/dom.ts'
import { count, percent, whole } from '../core/format.ts'
import { CHANNELS, type Completeness } from '../core/types.ts'
import { VirtualTable } from './virtual-table.ts'

export function createCompleteness() {
  const table = new VirtualTable<CompletenessRow>({
    box: byId('completeness-table'),
    rowPx: 33,
    columns: [
      { title: 'Instrument', class: 'feed' },
      ...CHANNELS.map((channel) => ({
        title: `${channel[0]?.toUpperCase()}${channel.slice(1)} %`,
        class: 'number share',
      })),
      { title: 'Lost', class: 'number lost' },
    ],
    make: () => undefined,
    fill: fillRow,
    empty: 'Nothing was collected in this window.',
  })
  return {
    show({ feeds, summary }: Completeness, window: string): void {
      const incomplete = summary.verifiable.incomplete + summary.unverifiable.incomplete
      const all = summary.verifiable.feeds + summary.unverifiable.feeds
      setText(byId('completeness-note'), `${whole(all - incomplete)} of ${count(all, 'feed')} whole in ${window}`)
      table.rows = byInstrument(feeds)
    },
  }
}

function fillRow(cells: readonly HTMLElement[], row: CompletenessRow, node: HTMLElement): void {
  const [name, ...rest] = cells
  if (name) setText(name, row.key)
  setData(node, 'instrument', row.key)
  CHANNELS.forEach((channel, index) => {
    const [cell, feed] = [rest[index], row.feeds.get(channel)]
    if (!cell) return
    setText(cell, feed === undefined ? '–' : `${feed.verifiable ? '' : '≈'}${percent(feed.covered_share)}`)
    setData(cell, 'tone', feed === undefined ? 'off' : feed.covered_share === 1 ? '' : 'warn')
    setTitle(cell, feed === undefined ? '' : `${count(feed.gaps, 'gap')}, ${whole(feed.open_gaps)} of them open`)
  })
  const lost = rest[CHANNELS.length]
  if (lost !== undefined) setText(lost, lostText(row))
}

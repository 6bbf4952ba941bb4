/** Message rates and latencies of each venue over the last minutes. */

import { byId, el, fillList, setData, setText } from '../core/dom.ts'
import { latency, rate, timeOfDay } from '../core/format.ts'
import type { Activity, VenueActivity } from '../core/types.ts'
import { choice } from './choice.ts'
import { lineChart } from './line-chart.ts'

const SERIES = ['--series-1', '--series-2', '--series-3', '--series-4'] as const
const seriesOf = (index: number): string => SERIES[index % SERIES.length] ?? '--series-1'

type Kind = 'exchange_latency_ms' | 'store_latency_ms'
const MEANING: Readonly<Record<Kind, string>> = {
  exchange_latency_ms: 'median, p99 dashed; the clocks’ difference is in it',
  store_latency_ms: 'median, p99 dashed',
}

export function createCharts() {
  let activity: Activity = { step_seconds: 5, times: [], venues: [] }
  let kind: Kind = 'exchange_latency_ms'
  const pointed: { rates: number | undefined; latency: number | undefined } = { rates: undefined, latency: undefined }
  const rates = lineChart(byId('rates') as HTMLCanvasElement, rate, (index) => {
    pointed.rates = index
    legends()
  })
  const latencies = lineChart(byId('latency') as HTMLCanvasElement, latency, (index) => {
    pointed.latency = index
    legends()
  })
  choice(byId('latency-choice'), (value) => {
    kind = value as Kind
    draw()
  })

  function draw(): void {
    const timesMs = activity.times.map((time) => Date.parse(time))
    rates.show({
      timesMs,
      lines: activity.venues.map((venue, index) => ({ colour: seriesOf(index), values: venue.messages_per_second })),
    })
    latencies.show({
      timesMs,
      lines: activity.venues.flatMap((venue, index) => [
        { colour: seriesOf(index), values: venue[kind].p50 },
        { colour: seriesOf(index), values: venue[kind].p99, isFaint: true },
      ]),
    })
    legends()
  }

  function legends(): void {
    legend('rates', pointed.rates, (venue, at) => rate(venue.messages_per_second[at] ?? 0))
    legend(
      'latency',
      pointed.latency,
      (venue, at) => `${latency(venue[kind].p50[at])} / ${latency(venue[kind].p99[at])}`,
    )
    if (pointed.latency === undefined) setText(byId('latency-note'), MEANING[kind])
  }

  function legend(name: string, index: number | undefined, value: (venue: VenueActivity, at: number) => string): void {
    const at = index ?? activity.times.length - 1
    const time = activity.times[at]
    setText(byId(`${name}-note`), time === undefined ? 'nothing measured yet' : `at ${timeOfDay(Date.parse(time))}`)
    fillList(byId(`${name}-legend`), activity.venues, makeEntry, (node, venue) => {
      const [swatch, label, number] = node.children as unknown as HTMLElement[]
      if (!swatch || !label || !number) return
      setData(swatch, 'series', String((activity.venues.indexOf(venue) % SERIES.length) + 1))
      setText(label, venue.venue)
      setText(number, time === undefined ? '–' : value(venue, at))
      setData(node, 'venue', venue.venue)
    })
  }

  return {
    show(next: Activity): void {
      activity = next
      draw()
    },
  }
}

const makeEntry = (): HTMLElement =>
  el('li', {}, el('i', { class: 'swatch' }), el('span', { class: 'name' }), el('b', { class: 'figure-small' }))

/** Where the data go and what the service complains about: sinks, health, warnings. */

import { byId, chip, el, fillList, setChip, setData, setText, setTitle } from '../core/dom.ts'
import { bytes, compact, duration, timeOfDay, whole } from '../core/format.ts'
import { toneOf } from '../core/state-tone.ts'
import type { Health, Sink, Sinks, Warning, Warnings } from '../core/types.ts'

const SINK_ROWS = ['Lag', 'Waiting', 'Stored', 'Volume', 'Failures', 'Refused'] as const

export function showSinks({ spool, sinks }: Sinks): void {
  setText(byId('sinks-note'), sinks.length === 0 ? 'no sink is on' : '')
  fillList(byId('spool'), spool === null ? [] : [spool], makeSpool, (node, log) => {
    const [name, state, meter, text] = node.children as unknown as HTMLElement[]
    if (!name || !state || !(meter instanceof HTMLMeterElement) || !text) return
    setChip(state, toneOf(log.state), log.state, log.reason)
    meter.max = log.quota_bytes
    meter.value = log.disk_bytes
    const evicted = log.records_evicted > 0 ? `, ${whole(log.records_evicted)} evicted` : ''
    setText(text, `${bytes(log.disk_bytes)} of ${bytes(log.quota_bytes)}, ${compact(log.records)} records${evicted}`)
  })
  fillList(byId('sinks'), sinks, makeSink, fillSink)
}

const makeSpool = (): HTMLElement =>
  el(
    'div',
    {},
    el('h4', { text: 'Durable log' }),
    chip(),
    el('meter', { attrs: { 'aria-label': 'used part of its quota' } }),
    el('p'),
  )

const makeSink = (): HTMLElement =>
  el(
    'div',
    { class: 'mini' },
    el('h4'),
    chip(),
    el('p', { class: 'reason' }),
    el('dl', {}, ...SINK_ROWS.flatMap((name) => [el('dt', { text: name }), el('dd')])),
  )

function fillSink(node: HTMLElement, sink: Sink): void {
  const [title, state, reason, list] = node.children as unknown as HTMLElement[]
  if (!title || !state || !reason || !list) return
  setData(node, 'sink', sink.name)
  setText(title, sink.name)
  setChip(state, toneOf(sink.state), sink.state)
  setText(reason, sink.reason)
  const values = [
    lagText(sink),
    whole(sink.lag_records),
    whole(sink.records),
    bytes(sink.bytes),
    whole(sink.failures),
    whole(sink.records_rejected),
  ]
  list.querySelectorAll('dd').forEach((cell, index) => {
    setText(cell, values[index] ?? '')
  })
}

/** How old the newest data are that a sink has. */
export function lagText({ lag_records, lag_seconds }: Sink): string {
  if (lag_records === 0) return 'none'
  return lag_seconds === null ? 'nothing yet' : duration(lag_seconds * 1000)
}

export function showHealth({ status, checks }: Health): void {
  setChip(byId('health-state'), toneOf(status), status)
  const order = ['fail', 'warn', 'pass']
  const sorted = Object.entries(checks).sort(([, a], [, b]) => order.indexOf(a.status) - order.indexOf(b.status))
  fillList(byId('checks'), sorted, makeCheck, (node, [name, check]) => {
    const [state, title, result] = node.children as unknown as HTMLElement[]
    if (!state || !title || !result) return
    setData(node, 'check', name)
    setChip(state, toneOf(check.status), check.status)
    setText(title, name)
    setText(result, check.result)
    setTitle(result, check.result)
  })
}

const makeCheck = (): HTMLElement => el('li', {}, chip(), el('b'), el('span'))

export function showWarnings({ warnings, summary }: Warnings): void {
  const { warnings: all, errors } = summary
  setText(byId('warnings-note'), `${whole(all)} warnings, ${whole(errors)} errors since the start`)
  byId('warnings-empty').hidden = warnings.length > 0
  fillList(byId('warnings'), warnings, makeWarning, (node, warning) => {
    const [time, state, where, text] = node.children as unknown as HTMLElement[]
    if (!time || !state || !where || !text) return
    setText(time, timeOfDay(Date.parse(warning.time)))
    setChip(state, toneOf(warning.level), warning.level.toLowerCase())
    setText(where, whereOf(warning))
    setText(text, sentence(warning))
    setData(node, 'event', warning.event)
    setTitle(node, warning.event)
  })
}

const makeWarning = (): HTMLElement => el('li', {}, el('time'), chip(), el('b'), el('span'))

const whereOf = ({ venue, channel, symbol, sink }: Warning): string =>
  [venue, symbol, channel, sink].filter((part) => part !== null).join(' ')

function sentence({ message, cause, outcome, reason }: Warning): string {
  const facts = [cause, outcome, reason].filter((part) => part !== null && part !== '')
  return facts.length === 0 ? message : `${message} (${facts.join(', ')})`
}

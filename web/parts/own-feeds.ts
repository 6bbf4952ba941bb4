/** The feeds of the chosen instrument, each with everything that is known of it. */

import { byId, chip, el, fillList, setChip, setData, setText, setTitle } from '../core/dom.ts'
import { roughly, timeMs, whole } from '../core/format.ts'
import { toneOf } from '../core/state-tone.ts'
import type { Feed } from '../core/types.ts'

const ROWS = ['Newest', 'Behind', 'Events', 'Resyncs', 'Proof', 'For'] as const
const PROOFS: Readonly<Record<string, string>> = {
  counter: 'Every lost message is found: the numbers count up by one.',
  range: 'Every lost message is found: the ranges of numbers touch.',
  chained: 'Every lost message is found: each message names the one before.',
  cadence: 'Only silences are found: the stream speaks at known intervals.',
  none: 'Only lost connections and long silences are found.',
}

export function createOwnFeeds(serviceMs: () => number) {
  const box = byId('own')
  let feeds: readonly Feed[] = []
  const draw = (): void => fillList(box, feeds, makeCard, (node, feed) => fill(node, feed, serviceMs()))
  return {
    show(next: readonly Feed[]): void {
      feeds = next
      draw()
    },
    tick: draw,
  }
}

function makeCard(): HTMLElement {
  const rows = ROWS.flatMap((name) => [el('dt', { text: name }), el('dd')])
  return el('div', { class: 'mini' }, el('h4'), chip(), el('p', { class: 'reason' }), el('dl', {}, ...rows))
}

function fill(node: HTMLElement, feed: Feed, nowMs: number): void {
  const [title, state, reason, list] = node.children as unknown as HTMLElement[]
  if (!title || !state || !reason || !list) return
  setData(node, 'channel', feed.channel)
  setText(title, feed.channel)
  setChip(state, toneOf(feed.state), feed.state, feed.reason)
  setText(reason, feed.reason)
  const last = timeMs(feed.last_message)
  const values = [
    last === undefined ? 'never' : roughly(nowMs - last),
    `${whole(feed.behind_ms)} ms`,
    whole(feed.events),
    whole(feed.resyncs),
    feed.proof,
    roughly(nowMs - (timeMs(feed.since) ?? nowMs)),
  ]
  list.querySelectorAll('dd').forEach((cell, index) => {
    setText(cell, values[index] ?? '')
    if (ROWS[index] === 'Proof') setTitle(cell, PROOFS[feed.proof] ?? '')
  })
}

/** Shapes of messages: what a venue adds, leaves out or changes is seen; what it sends today is no difference. */

import { describe, expect, test } from 'vitest'
import { CHANNEL_OF, CHANNELS } from '../../src/model/event.ts'
import { venues } from '../../src/venues/index.ts'
import { driftOf, hasDrift, shape } from '../../src/venues/shape.ts'
import { hasSharedData, readJsonLines } from '../helpers/shared-data.ts'
import { fixturesOf, NO_INSTRUMENTS } from './fixtures.ts'

const NONE = { missing: [], unknown: [], changed: [] }

describe('drift', () => {
  const known = shape('e:s data.p:s data.n:n? data.x:s|null rows[][]:s list[].id:n list[].note:s?')
  const good = { e: 'x', data: { p: '1', n: 1, x: null }, rows: [['1', '2']], list: [{ id: 1 }] }

  test('is none for what is documented, optional fields and empty lists included', () => {
    expect(driftOf(known, [good])).toEqual(NONE)
    expect(driftOf(known, [{ ...good, data: { p: '1', x: 'a' }, rows: [], list: [] }])).toEqual(NONE)
    expect(hasDrift(NONE)).toBe(false)
  })

  test('names what is missing, at its top, and only where it could have been', () => {
    expect(driftOf(known, [{ e: 'x' }])).toEqual({ ...NONE, missing: ['data', 'list', 'rows'] })
    expect(driftOf(known, [{ ...good, list: [{}] }])).toEqual({ ...NONE, missing: ['list[].id'] })
    // One of the messages has it.
    expect(driftOf(known, [{ ...good, data: { x: null } }, good])).toEqual(NONE)
  })

  test('names what is new, at its top', () => {
    const { data } = good
    expect(driftOf(known, [{ ...good, new: { deep: [1] }, data: { ...data, y: 1 } }])).toEqual({
      ...NONE,
      unknown: ['data.y', 'new'],
    })
  })

  test('names what has become something else', () => {
    const changed = ['data.n: s instead of n', 'rows[][]: n instead of s']
    expect(driftOf(known, [{ ...good, data: { p: '1', n: '1', x: 'a' }, rows: [[1]] }])).toEqual({ ...NONE, changed })
  })

  test('has an end, whatever comes', () => {
    let deep: unknown = 1
    for (let n = 0; n < 5000; n++) deep = { deep }
    const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`k${n}`, n]))
    expect(driftOf(known, [{ ...good, deep, ...wide }]).unknown.length).toBeLessThan(600)
    for (const odd of [null, 1, 'x', [], [[]]]) expect(hasDrift(driftOf(known, [odd]))).toBe(true)
  })
})

test.each(venues.map((venue) => [venue.id, venue] as const))('%s has a shape for every channel of it', (_, venue) => {
  const names = CHANNELS.flatMap((channel) => Object.keys(venue.channels[channel]?.endpoints ?? {}))
  expect(Object.keys(venue.shapes ?? {}).sort()).toEqual([...new Set(names)].sort())
})

/** Documented messages that show a form of another time or place on purpose. */
const OF_ANOTHER_TIME =
  /old|before|recorded|unwrapped|without|null|grouped|partial|reset|incremental|rpi|joined|coin-margined|empty$|option-empty/

describe.each(venues.map((venue) => [venue.id, venue] as const))('%s', (id, venue) => {
  /** Of the channels that bring what the frame brings. */
  const shapesOf = (frame: Uint8Array) => {
    const decoded = venue.decode(frame, 1_795_000_000_000_000, NO_INSTRUMENTS)
    const [event] = decoded.kind === 'events' ? decoded.events : []
    const channel = event && CHANNEL_OF[event.type]
    return channel === undefined
      ? []
      : Object.keys(venue.channels[channel]?.endpoints ?? {}).flatMap((name) => venue.shapes?.[name] ?? [])
  }
  /** As it comes on the connections that this program opens. */
  const message = (frame: Uint8Array) => {
    const value = JSON.parse(new TextDecoder().decode(frame))
    return venue.exchange === 'binance' && value.stream === undefined ? { stream: 'x', data: value } : value
  }

  test('the documented messages have the documented shape', () => {
    const differing = fixturesOf(id)
      .filter(({ name, expect: { kind } }) => kind === 'events' && !OF_ANOTHER_TIME.test(name))
      .flatMap(({ name, frame }) => {
        const drifts = shapesOf(frame).map((known) => driftOf(known, [message(frame)]))
        return drifts.length === 0 || drifts.some((drift) => !hasDrift(drift)) ? [] : [{ name, drifts }]
      })
    expect(differing).toEqual([])
  })
})

test.skipIf(!hasSharedData)('recorded messages of today’s form have no difference', () => {
  const files = ['binance.btcusdt.20240808-09', 'binance-usdm.btcusdt.20240808'].map(
    (name) => `captures/${name}.hftbacktest.ws.jsonl.gz`,
  )
  for (const file of files) {
    const rows = readJsonLines<{ venue: string; msg: { stream?: string }; dir?: string }>(file).slice(0, 5000)
    const venue = venues.find(({ id }) => id === rows[0]?.venue)
    for (const [name, known] of Object.entries(venue?.shapes ?? {})) {
      const own = rows.flatMap(({ msg }) => (msg.stream?.endsWith(`@${name}`) ? [msg] : []))
      expect(driftOf(known, own).unknown, `${file} ${name}`).toEqual([])
    }
  }
})

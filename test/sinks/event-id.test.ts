import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openGap, revise } from '../../src/ledger/records.ts'
import { GAP_CAUSES } from '../../src/model/event.ts'
import { eventId } from '../../src/sinks/event-id.ts'

const idOf = (event: object) => eventId(Buffer.from(JSON.stringify(event)))

test('is the id, whatever the event says before and after it', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('"id":"x"', '\\', '"', '\\"id":"', 'é\n'),
  )
  const event = fc.record({
    symbol: text,
    trade_id: text,
    bids: fc.array(fc.tuple(text, text)),
    id: text,
    reason: text,
  })
  fc.assert(
    fc.property(event, (each) => {
      expect(idOf(each)).toBe(each.id)
    }),
    { seed: 1, numRuns: 500 },
  )
})

test('is not an id of something else', () => {
  expect(idOf({ trade_id: '7', id: 'a' })).toBe('a')
  expect(idOf({ trade_id: '7' })).toBeUndefined()
  expect(idOf({ id: 7 })).toBeUndefined()
})

test('needs a text that ends', () => {
  for (const body of ['', '{"id":"', '{"id":"abc', '{"id":"abc\\"', '{"id":"\\x"}']) {
    expect(eventId(Buffer.from(body)), body).toBeUndefined()
  }
})

test('tells every revision of a gap from the others: each must be stored', () => {
  const stream = { exchange: 'a', venue: 'a', channel: 'book', symbol: 'S', market: 'spot', proof: 'range' } as const
  const first = openGap(stream, 'g1', { cause: GAP_CAUSES[0], startUs: 1 }, 2)
  const ids = [first, revise(first, { state: 'closed' }), revise(revise(first, {}), { lost: 3 })].map(idOf)
  expect(ids).toEqual(['a:gap:S:g1:1', 'a:gap:S:g1:2', 'a:gap:S:g1:3'])
})

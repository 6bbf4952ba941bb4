import { expect, test } from 'vitest'
import { BookFrames } from '../../src/check/world-frames.ts'

const frames = (...fates: readonly (readonly [connection: number, madeMs: number, isDelivered: boolean])[]) => {
  const known = new BookFrames()
  for (const [connection, madeMs, isDelivered] of fates) known.note('x AB', connection, { isDelivered, madeMs })
  return known
}

test.each([
  ['came', frames([1, 1, false], [1, 2, true]), [1], false],
  ['was lost', frames([1, 1, true], [1, 2, false]), [1], true],
  ['came before an older one', frames([1, 2, true], [1, 1, true]), [1], true],
  ['was lost on a connection that another one replaces', frames([1, 1, false], [2, 2, true]), [1, 2], true],
  ['was lost on one that was replaced', frames([1, 1, false], [2, 2, true]), [2], false],
  ['was lost with a connection that is gone, and nothing came since', frames([2, 1, true], [1, 2, false]), [2], true],
  ['came on one of two', frames([1, 2, false], [2, 2, true]), [2], false],
])('the newest frame of a book %s', (_name, known, open, isLost) => {
  expect(known.isLost('x AB', (connection) => open.includes(connection))).toBe(isLost)
})

test('a spoilt frame comes, and of another book nothing is known', () => {
  const known = frames([1, 1, true])
  known.spoil('x AB')
  known.note('x AB', 1, { isDelivered: false, madeMs: 2 })
  expect(known.isLost('x AB', () => true)).toBe(false)
  expect(known.isLost('x CD', () => true)).toBe(false)
})

test('a book of which the venue sends nothing is silent until it is subscribed anew, or a frame comes', () => {
  const known = frames()
  known.subscribed('x AB', true)
  expect([known.isSilent('x AB'), known.isSilent('x CD'), known.hasSilent]).toEqual([true, false, true])
  known.subscribed('x AB', false)
  expect(known.hasSilent).toBe(false)
  known.subscribed('x AB', true)
  known.note('x AB', 1, { isDelivered: true, madeMs: 1 })
  expect(known.hasSilent).toBe(false)
})

import { expect, test } from 'vitest'
import { hashText } from '../../src/model/hash.ts'

/** Ids of stored events contain these values: a change here would give old facts new ids. */
test.each([
  ['', 'wvjl67o803'],
  ['a', '262p94epp1d'],
  ['{"bid_price":"9999.99","ask_price":"10000"}', 's5oz4jtg6e'],
  ['Ⓢ😀', '20g3bp5lfz5'],
])('the hash of %j stays what it is', (text, hash) => expect(hashText(text)).toBe(hash))

test('texts that differ a little have hashes that differ', () => {
  const hashes = new Set<string>()
  for (let i = 0; i < 20_000; i++) hashes.add(hashText(`{"price":"${i}","quantity":"${i % 7}"}`))
  expect(hashes.size).toBe(20_000)
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-z]{1,11}$/)
})

import { expect, test } from 'vitest'
import { inBatches } from '../../src/venues/batches.ts'
import { binance } from '../../src/venues/binance/index.ts'
import type { Topic } from '../../src/venues/venue.ts'

const topics = (count: number, symbol = 'BTCUSDT'): Topic[] =>
  Array.from({ length: count }, (_, i) => binance.topic('trade', 'trade', `${symbol}${i}`))

const sizes = (batches: readonly (readonly Topic[])[]): number[] => batches.map((batch) => batch.length)

test('as many topics as the venue allows in a request', () => {
  const limits = { ...binance.socketLimits, topicsPerRequestMax: 3 }
  expect(sizes(inBatches(topics(7), limits))).toEqual([3, 3, 1])
  expect(sizes(inBatches(topics(3), limits))).toEqual([3])
  expect(inBatches([], limits)).toEqual([])
})

test('fewer where they would not fit into a frame, counted in bytes', () => {
  const limits = { ...binance.socketLimits, sendBytesMax: 1_000 }
  for (const symbol of ['BTCUSDT', '币安人生'.repeat(8)]) {
    const wanted = topics(60, symbol)
    const batches = inBatches(wanted, limits)
    expect(batches.flat()).toEqual(wanted)
    expect(batches.length).toBeGreaterThan(1)
    for (const batch of batches) {
      const params = batch.map((topic) => topic.name)
      expect(Buffer.byteLength(JSON.stringify({ method: 'UNSUBSCRIBE', params, id: 100_000 }))).toBeLessThanOrEqual(
        1_000,
      )
    }
  }
})

test('a topic that alone is too large still goes, and the venue refuses it', () => {
  expect(sizes(inBatches(topics(2), { ...binance.socketLimits, sendBytesMax: 10 }))).toEqual([1, 1])
})

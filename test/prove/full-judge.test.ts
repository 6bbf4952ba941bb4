import { expect, test } from 'vitest'
import type { Told } from '../../src/check/prove/delivery-judge.ts'
import { judgeFull } from '../../src/check/prove/full-judge.ts'
import type { Gap } from '../../src/model/event.ts'

const FEED = 'okx quote BTC-USDT'
const told = (id: string, receiveUs: number, process = 1): Told => ({
  id,
  feed: FEED,
  receiveUs,
  process,
})

const gap = (changes: Partial<Gap> = {}): Gap => ({
  type: 'gap',
  exchange: 'okx',
  venue: 'okx',
  market: 'spot',
  symbol: 'BTC-USDT',
  id: 'okx:gap:BTC-USDT:1-1:1',
  channel: 'quote',
  gap_id: '1-1',
  cause: 'log_full',
  state: 'closed',
  start_time_us: 100,
  end_time_us: 200,
  detected_time_us: 300,
  lost: 2,
  ...changes,
})

const stream = { store: 'nats', ids: new Map([['kept', 1]]) }
const two = [told('kept', 90), told('a', 100), told('b', 200)]

test('gaps that count what the stream lacks are right', () => {
  const right = { missing: 2, gaps: 1, wrong: [], outside: [], others: [], doubled: 0, taken: 0 }
  expect(judgeFull(two, stream, [gap()])).toEqual(right)
})

test('gaps that count more or less, or lie elsewhere, are told', () => {
  expect(judgeFull(two, stream, [gap({ lost: 3 })]).wrong).toHaveLength(1)
  expect(judgeFull(two, stream, [gap({ lost: 1 })]).wrong).toHaveLength(1)
  expect(judgeFull(two, stream, []).wrong).toHaveLength(1)
  expect(judgeFull(two, stream, [gap({ lost: 1 }), gap({ lost: undefined })]).wrong, 'not all is counted').toEqual([])
  expect(judgeFull(two, stream, [gap({ lost: 3 }), gap({ lost: undefined })]).wrong).toHaveLength(1)
  expect(judgeFull([], stream, [gap()]).wrong).toHaveLength(1)
  expect(judgeFull(two, stream, [gap({ end_time_us: 199 })]).outside).toEqual(['b at 200'])
  expect(judgeFull(two, stream, [gap({ cause: 'disconnect' })]).outside).toHaveLength(2)
})

test('gap records and instruments must be there', () => {
  expect(judgeFull([...two, { ...told('g', 150), feed: undefined }], stream, [gap()]).others).toEqual(['g'])
})

test('of a gap record the newest is enough', () => {
  const revision = (number: number) => told(`okx:gap:BTC-USDT:1-1:${number}`, 150)
  const gaps = [1, 2, 3].map((number) => ({ ...revision(number), feed: undefined }))
  const others = (held: string) =>
    judgeFull(
      [...two, ...gaps],
      {
        store: 'nats',
        ids: new Map([
          ['kept', 1],
          [held, 1],
        ]),
      },
      [gap()],
    ).others
  expect(others('okx:gap:BTC-USDT:1-1:3')).toEqual([])
  expect(others('okx:gap:BTC-USDT:1-1:2')).toEqual(['okx:gap:BTC-USDT:1-1:3'])
  expect(others('okx:gap:BTC-USDT:1-2:3')).toHaveLength(3)
})

test('what a kill took is in its own gap', () => {
  const kill = gap({ gap_id: '1-2', cause: 'process_down', start_time_us: 210, end_time_us: 400 })
  const taken = told('c', 220, 0)
  expect(judgeFull([...two, taken], stream, [gap(), kill])).toMatchObject({ missing: 2, taken: 1, wrong: [] })
  expect(judgeFull([...two, told('c', 220, 1)], stream, [gap(), kill]).wrong, 'not of the killed one').toHaveLength(1)
})

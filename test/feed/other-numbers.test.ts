/** After a restart trades come by another channel of the venue, whose numbers count something else. */

import { expect, test } from 'vitest'
import { jsonAnswer } from '../helpers/world.ts'
import { binanceTrade, createRig, exchangeInfo, type Rig } from './rig.ts'

const T_MS = 1_795_392_000_000

const aggregate = (id: number, first: number, last: number, timeMs = T_MS + id) => ({
  stream: 'btcusdt@aggTrade',
  data: { e: 'aggTrade', E: timeMs, s: 'BTCUSDT', a: id, p: '100.0', q: '1.0', f: first, l: last, T: timeMs, m: false },
})

const single = (id: number) => ({
  id,
  price: '1.5',
  qty: '2',
  quoteQty: '3',
  time: T_MS + id,
  isBuyerMaker: true,
})

function answer(rig: Rig, ...ids: number[]): void {
  rig.world.answer = ({ url }) => {
    if (url.includes('exchangeInfo')) return exchangeInfo('BTCUSDT')
    return jsonAnswer(url.includes('/trades') ? ids.map(single) : [])
  }
}

/** Every subscription is confirmed. */
async function confirm({ world }: Rig): Promise<void> {
  world.peer.open()
  for (const { id } of world.peer.frames) world.peer.message({ result: null, id })
  await world.clock.advance(500)
}

/** The process ends in order; another one begins a minute later on the same disk. */
async function next({ world }: Rig, started: Awaited<ReturnType<Rig['start']>>): Promise<Rig> {
  started.ledger.stop()
  started.feed.stop()
  const rig = createRig()
  for (const [path, text] of world.disk) rig.world.disk.set(path, text)
  await rig.world.clock.advance(60_000)
  return rig
}

const found = ({ gaps }: Rig) => gaps.map(({ lost, reason }) => ({ lost, reason }))

test('aggregates before, single trades after: nothing is counted across the two, and nothing fetched', async () => {
  const one = createRig()
  answer(one)
  const started = await one.start('binance', { symbols: ['BTCUSDT'], channels: { trade: 'aggTrade' } })
  await confirm(one)
  one.world.peer.message(aggregate(600, 900_000, 900_003))
  await one.world.clock.advance(2_000)
  const two = await next(one, started)
  answer(two)
  await two.start('binance', { symbols: ['BTCUSDT'], channels: { trade: 'trade' } })
  await confirm(two)
  two.world.peer.message(binanceTrade('BTCUSDT', 910_000))
  await two.world.clock.advance(20)
  expect(found(two).filter(({ lost = 0 }) => lost > 0)).toEqual([])
  expect(two.world.requests.filter(({ url }) => url.includes('Trades'))).toEqual([])
})

test('aggregates of USD-M before, single trades after, with WebSocket off', async () => {
  const one = createRig()
  answer(one)
  const started = await one.start('binance-usdm', { symbols: ['BTCUSDT'] })
  await confirm(one)
  one.world.peer.message(aggregate(600, 900_000, 900_003))
  await one.world.clock.advance(2_000)
  const two = await next(one, started)
  answer(two, 910_000, 910_001)
  await two.start('binance-usdm', { symbols: ['BTCUSDT'], pollIntervalMs: 5_000 })
  await two.world.clock.advance(600_000)
  expect(found(two).filter(({ lost = 0 }) => lost > 0)).toEqual([])
})

test('single trades before, aggregates after: no numbering began anew', async () => {
  const one = createRig()
  answer(one, 910_000, 910_001)
  const started = await one.start('binance-usdm', { symbols: ['BTCUSDT'], pollIntervalMs: 5_000 })
  await one.world.clock.advance(7_000)
  const two = await next(one, started)
  answer(two)
  await two.start('binance-usdm', { symbols: ['BTCUSDT'] })
  await confirm(two)
  two.world.peer.message(aggregate(601, 910_002, 910_003, T_MS + 1_000_000))
  await two.world.clock.advance(20)
  expect(found(two).filter(({ reason }) => reason?.includes('numbers went'))).toEqual([])
})

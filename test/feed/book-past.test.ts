/** Fetched snapshots that are older than what was delivered, or other than what was delivered under the same number. */

import { describe, expect, test } from 'vitest'
import type { BookDelta, MarketEvent } from '../../src/model/event.ts'
import { jsonAnswer } from '../helpers/world.ts'
import { binanceDelta, createRig, exchangeInfo, type Rig } from './rig.ts'

const AT_MS = 1_795_392_000_000

/** A book of Binance; the bid at 1.0 has the sequence as its quantity. */
async function start() {
  const rig = createRig()
  const venue = { sequence: 100 }
  rig.world.answer = ({ url }) =>
    url.includes('exchangeInfo')
      ? exchangeInfo('BTCUSDT')
      : jsonAnswer({
          lastUpdateId: venue.sequence,
          bids: [['1.0', String(venue.sequence)]],
          asks: [['9.0', '1']],
        })
  const { books } = await rig.start('binance', { symbols: ['BTCUSDT'], channels: { book: 'depth@100ms' } })
  open(rig)
  return { rig, venue, sync: () => books.find('binance', 'BTCUSDT') }
}

function open({ world }: Rig): void {
  world.peer.open()
  world.peer.message({ result: null, id: world.peer.frames.at(-1)?.id })
}

/** The venue answers pings, and confirms what is asked for on new connections. */
async function pass(rig: Rig, seconds: number): Promise<void> {
  const { world } = rig
  for (let second = 0; second < seconds; second++) {
    const { length } = world.peers
    world.peer.pong()
    await world.clock.advance(1_000)
    if (world.peers.length > length) open(rig)
  }
}

const say = ({ world }: Rig, u: number, price = '1.0') =>
  world.peer.message({
    stream: 'btcusdt@depth@100ms',
    data: { e: 'depthUpdate', E: AT_MS + u, s: 'BTCUSDT', U: u, u, b: [[price, String(u)]], a: [] },
  })

const deltasOf = (events: readonly MarketEvent[]): BookDelta[] =>
  events.flatMap((event) => (event.type === 'book_delta' ? [event] : []))

describe('after a reconnect', () => {
  test('to a server that lags as the REST node does, no change leaves twice, and none is missing between', async () => {
    const { rig, venue, sync } = await start()
    say(rig, 101)
    await rig.world.clock.advance(50)
    for (let u = 102; u <= 150; u++) say(rig, u, u === 145 ? '2.0' : '1.1')
    expect(sync()?.sequence).toBe(150)
    rig.world.peer.close()
    venue.sequence = 140
    await rig.world.clock.advance(600)
    open(rig)
    say(rig, 141, '1.1')
    await rig.world.clock.advance(50)
    for (let u = 142; u <= 155; u++) say(rig, u, u === 145 ? '2.0' : '1.1')
    expect(sync()?.isLive).toBe(false)
    venue.sequence = 152
    await pass(rig, 20)
    expect([sync()?.isLive, sync()?.sequence]).toEqual([true, 155])
    const ids = deltasOf(rig.events).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    // Behind the last snapshot the changes go on without a hole.
    const snapshot = rig.events.findLastIndex(({ type }) => type === 'book_snapshot')
    expect(deltasOf(rig.events.slice(snapshot)).map(({ first_sequence: first }) => first)).toEqual([153, 154, 155])
  })

  test('a quiet book is not live with the state of a REST node that is stuck in the past, for a minute', async () => {
    const { rig, venue, sync } = await start()
    for (let u = 101; u <= 150; u++) {
      say(rig, u)
      await rig.world.clock.advance(50)
    }
    expect([sync()?.isLive, sync()?.sequence]).toEqual([true, 150])
    rig.world.peer.close()
    venue.sequence = 140
    await rig.world.clock.advance(600)
    open(rig)
    for (let second = 0; second < 50; second++) {
      await pass(rig, 1)
      expect(sync()?.isLive).toBe(false)
    }
    venue.sequence = 150
    await pass(rig, 90)
    expect([sync()?.isLive, sync()?.sequence]).toEqual([true, 150])
  })
})

test('a snapshot that mends a wrong one at the same number has an id of its own', async () => {
  const rig = createRig()
  let bid = '0.9'
  rig.world.answer = ({ url }) =>
    url.includes('exchangeInfo')
      ? exchangeInfo('BTCUSDT')
      : jsonAnswer({
          lastUpdateId: 104,
          bids: [
            ['1.0', '5'],
            [bid, '7'],
          ],
          asks: [['1.1', '3']],
        })
  await rig.start('binance', { symbols: ['BTCUSDT'], channels: { book: 'depth@100ms' } })
  open(rig)
  rig.world.peer.message(binanceDelta('BTCUSDT', 100, 104))
  await rig.world.clock.advance(50)
  bid = '0.8'
  await pass(rig, 200)
  const snapshots = rig.events.flatMap((event) => (event.type === 'book_snapshot' ? [event] : []))
  expect(snapshots.map(({ bids }) => bids[1]?.[0])).toEqual(['0.9', '0.8'])
  expect(snapshots[0]?.id).toBe('binance:book_snapshot:BTCUSDT:0:104')
  expect(snapshots[1]?.id).toMatch(/^binance:book_snapshot:BTCUSDT:0:104~[0-9a-z]+$/)
})

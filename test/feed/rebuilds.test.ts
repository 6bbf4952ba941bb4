/** Books that break, and how often they are built anew. */

import { beforeEach, describe, expect, test } from 'vitest'
import { createRecoveryRig, type OkxFrame, okxBook, type RecoveryRig } from './recovery-rig.ts'
import { binanceDelta, snapshotAt } from './rig.ts'

let world: RecoveryRig['world']
let start: RecoveryRig['start']
let okxFrames: RecoveryRig['okxFrames']
let okxAck: RecoveryRig['okxAck']
let okxAckAll: RecoveryRig['okxAckAll']
let binanceAck: RecoveryRig['binanceAck']
let depthRequests: RecoveryRig['depthRequests']
let pass: RecoveryRig['pass']

beforeEach(() => {
  ;({ world, start, okxFrames, okxAck, okxAckAll, binanceAck, depthRequests, pass } = createRecoveryRig())
})

describe('books that break again and again', () => {
  test('Binance: snapshots are fetched ever more slowly, so that others get theirs', async () => {
    await start('binance', { symbols: ['BTCUSDT'], channels: { book: 'depth@100ms' } })
    world.peer.open()
    binanceAck()
    let sequence = 1_000
    world.answer = () => snapshotAt(sequence)
    for (let i = 0; i < 1_200; i++) {
      sequence += 10
      world.peer.message(binanceDelta('BTCUSDT', sequence, sequence))
      if (i % 10 === 0) world.peer.pong()
      await world.clock.advance(100)
    }
    expect(depthRequests()).toBeGreaterThan(5)
    expect(depthRequests()).toBeLessThan(30)
  })

  test('OKX: subscribed anew ever more slowly; the neighbours keep their socket for hours', async () => {
    const { stateOf } = await start('okx', { symbols: ['BAD-USDT', 'BTC-USDT'], channels: { book: 'books' } })
    world.peer.open()
    let answered = 0
    let sequence = 1
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, sequence))
    for (let second = 0; second < 3 * 3_600; second++) {
      const frames = okxFrames()
      for (; answered < frames.length; answered++) {
        const frame = frames[answered] as OkxFrame
        okxAck(frame)
        if (frame.op !== 'subscribe' || frame.args[0]?.instId !== 'BAD-USDT') continue
        world.peer.message(okxBook('BAD-USDT', 'snapshot', -1, 10))
        world.peer.message(okxBook('BAD-USDT', 'update', 12, 13))
      }
      world.peer.message(okxBook('BTC-USDT', 'update', sequence, ++sequence))
      await world.clock.advance(1_000)
    }
    expect(world.peers).toHaveLength(1)
    expect(stateOf('book', 'BTC-USDT')?.resyncs).toBe(0)
  })

  test('a rebuild that was waiting when the connection went does not break the book that is proven since', async () => {
    const { stateOf } = await start('okx', { symbols: ['BTC-USDT'], channels: { book: 'books' } })
    world.peer.open()
    for (let i = 0; i < 40; i++) {
      okxAckAll()
      world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 10, 12_345))
      await world.clock.advance(1_000)
    }
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 10, 12_345))
    world.peer.close()
    while (world.peers.length === 1) await world.clock.advance(100)
    world.peer.open()
    okxAckAll()
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 20))
    expect(stateOf('book', 'BTC-USDT')?.state).toBe('live')
    await pass(60, (second) => world.peer.message(okxBook('BTC-USDT', 'update', 20 + second, 21 + second)))
    expect(okxFrames().map(({ op }) => op)).toEqual(['subscribe'])
    expect(stateOf('book', 'BTC-USDT')?.state).toBe('live')
  })

  test('OKX: a snapshot that could not be read is asked for again', async () => {
    const { stateOf } = await start('okx', { symbols: ['BTC-USDT'], channels: { book: 'books' } })
    world.peer.open()
    okxAckAll()
    const broken = okxBook('BTC-USDT', 'snapshot', -1, 10)
    world.peer.message({ ...broken, data: [{ ...broken.data[0], bids: [['x', '1']] }] })
    await pass(10, (second) => world.peer.message(okxBook('BTC-USDT', 'update', 10 + second, 11 + second)))
    expect(okxFrames().map(({ op }) => op)).toEqual(['subscribe', 'unsubscribe', 'subscribe'])
    okxAckAll()
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 30))
    expect(stateOf('book', 'BTC-USDT')?.state).toBe('live')
  })

  test('Binance: what REST could not give yet does not put off the next rebuild', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels: { book: 'depth@100ms' } })
    world.answer = () => snapshotAt(10)
    world.peer.open()
    binanceAck()
    let sequence = 1_000
    const next = () => world.peer.message(binanceDelta('BTCUSDT', sequence + 1, ++sequence))
    await pass(90, next)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('syncing')
    world.answer = () => snapshotAt(sequence)
    await pass(40, next)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
    sequence++
    await pass(3, next)
    expect(stateOf('book', 'BTCUSDT')).toMatchObject({ state: 'live', resyncs: 1 })
  })

  test('Binance: snapshots that no delta joins are fetched ever more slowly', async () => {
    await start('binance', { symbols: ['BTCUSDT'], channels: { book: 'depth@100ms' } })
    world.peer.open()
    binanceAck()
    let sequence = 1_000
    world.answer = () => snapshotAt(sequence + 1)
    for (let i = 0; i < 1_200; i++) {
      sequence += 10
      world.peer.message(binanceDelta('BTCUSDT', sequence, sequence))
      if (i % 10 === 0) world.peer.pong()
      await world.clock.advance(100)
    }
    expect(depthRequests()).toBeGreaterThan(5)
    expect(depthRequests()).toBeLessThan(30)
  })

  test('Binance: a first delta that does not join the waiting snapshot gets a new one at once', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels: { book: 'depth@100ms' } })
    world.answer = () => snapshotAt(100)
    world.peer.open()
    binanceAck()
    await world.clock.advance(2_100)
    expect(depthRequests()).toBe(1)
    world.answer = () => snapshotAt(115)
    world.peer.message(binanceDelta('BTCUSDT', 110, 112))
    await world.clock.advance(1_000)
    world.peer.message(binanceDelta('BTCUSDT', 113, 116))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })
})

describe('frames that lie', () => {
  test.each([
    ['binance', 'depth@100ms', {}],
    ['binance-usdm', 'depth@100ms', { pu: 104 }],
  ])('%s: an absurd sequence does not freeze the book that calls itself live', async (id, channel, extra) => {
    const { stateOf } = await start(id, { symbols: ['BTCUSDT'], channels: { book: channel } })
    const delta = (first: number, last: number, timeMs: number, more: object = {}) => ({
      stream: 'btcusdt@depth@100ms',
      data: { e: 'depthUpdate', E: timeMs, s: 'BTCUSDT', U: first, u: last, b: [['1.0', '5']], a: [], ...more },
    })
    const at = (step: number) => 1795392000100 + 100 * step
    world.answer = () => snapshotAt(104)
    world.peer.open()
    binanceAck()
    world.peer.message(delta(100, 104, at(0), { pu: 99 }))
    await world.clock.advance(10)
    world.peer.message(delta(105, Number.MAX_SAFE_INTEGER, at(1), extra))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
    world.peer.message(delta(106, 107, at(2), { pu: 105 }))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('resyncing')
    world.answer = () => snapshotAt(107)
    world.peer.message(delta(108, 109, at(3), { pu: 107 }))
    await world.clock.advance(1_000)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })
})

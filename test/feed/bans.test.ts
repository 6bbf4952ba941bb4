/** Bans that are remembered, and what is served meanwhile. */

import { beforeEach, describe, expect, test } from 'vitest'
import { jsonAnswer } from '../helpers/world.ts'
import { createRecoveryRig, type RecoveryRig } from './recovery-rig.ts'
import { binanceDelta, exchangeInfo, snapshotAt } from './rig.ts'

let world: RecoveryRig['world']
let start: RecoveryRig['start']
let binanceAck: RecoveryRig['binanceAck']
let pass: RecoveryRig['pass']

beforeEach(() => {
  ;({ world, start, binanceAck, pass } = createRecoveryRig())
})

describe('bans', () => {
  const ban = (seconds: number) =>
    world.disk.set('bans.json', JSON.stringify({ 'binance rest.example': world.clock.nowUs() + seconds * 1e6 }))

  test('a ban remembered from before the start shows on the books that wait for it', async () => {
    ban(60)
    world.answer = () => snapshotAt(100)
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels: { book: 'depth@100ms' } })
    await world.clock.advance(10_000)
    world.peer.open()
    binanceAck()
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('banned')
    await pass(10, (second) => world.peer.message(binanceDelta('BTCUSDT', 80 + second, 80 + second)))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('banned')
    await pass(45, (second) => world.peer.message(binanceDelta('BTCUSDT', 90 + second, 90 + second)))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })

  test('a ban remembered from before the start shows on polled feeds', async () => {
    ban(60)
    world.answer = () => snapshotAt(100)
    const { stateOf } = await start('binance', {
      symbols: ['BTCUSDT'],
      channels: { book: 'depth@100ms' },
      pollIntervalMs: 5_000,
    })
    await world.clock.advance(20_000)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('banned')
    await world.clock.advance(50_000)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })

  test('a book whose stream has died is not served as live until the ban is over', async () => {
    world.answer = ({ url }) => (url.includes('depth') ? snapshotAt(100) : exchangeInfo('BTCUSDT', 'ETHUSDT'))
    const symbols = ['BTCUSDT', 'ETHUSDT']
    const { books, rest } = await start('binance', { symbols, channels: { book: 'depth@100ms' } })
    world.peer.open()
    binanceAck()
    const speak = (second: number, ...speaking: string[]) => {
      for (const symbol of speaking) world.peer.message(binanceDelta(symbol, 100 + second, 100 + second))
    }
    await pass(60, (second) => speak(second, ...symbols))
    world.answer = () => jsonAnswer({ code: -1003, msg: 'banned' }, 418, { 'retry-after': '36000' })
    void rest.get({ path: '/', budget: 'weight', weight: 1, parse: () => {} }).catch(() => {})
    await pass(400, (second) => speak(60 + second, 'ETHUSDT'))
    expect(symbols.map((symbol) => books.find('binance', symbol)?.isLive)).toEqual([false, true])
  })

  test('a polled book is not served as live while a ban lets it grow old', async () => {
    world.answer = ({ url }) => (url.includes('depth') ? snapshotAt(100) : exchangeInfo('BTCUSDT'))
    const { stateOf, books } = await start('binance', {
      symbols: ['BTCUSDT'],
      channels: { book: 'depth@100ms' },
      pollIntervalMs: 5_000,
    })
    expect(books.find('binance', 'BTCUSDT')?.isLive).toBe(true)
    world.answer = () => jsonAnswer({ code: -1003, msg: 'banned' }, 418, { 'retry-after': '3600' })
    await world.clock.advance(60_000)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('banned')
    expect(books.find('binance', 'BTCUSDT')?.isLive).toBe(false)
  })
})

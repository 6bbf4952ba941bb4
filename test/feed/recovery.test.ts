/** Connections that break, stay silent, or never open. */

import { beforeEach, describe, expect, test } from 'vitest'
import { createRecoveryRig, type OkxFrame, okxBook, okxTrade, type RecoveryRig } from './recovery-rig.ts'
import { binanceTrade } from './rig.ts'

let world: RecoveryRig['world']
let start: RecoveryRig['start']
let okxFrames: RecoveryRig['okxFrames']
let okxAck: RecoveryRig['okxAck']
let okxAckAll: RecoveryRig['okxAckAll']
let binanceAck: RecoveryRig['binanceAck']
let pass: RecoveryRig['pass']

beforeEach(() => {
  ;({ world, start, okxFrames, okxAck, okxAckAll, binanceAck, pass } = createRecoveryRig())
})

describe('connections', () => {
  test('OKX: notices that come with every new socket do not make it reopen without end', async () => {
    await start('okx', { symbols: ['BTC-USDT'] })
    let opened = 0
    for (let ms = 0; ms < 120_000; ms += 100) {
      if (world.peers.length > opened) {
        opened = world.peers.length
        world.peer.open()
        world.peer.message({ event: 'notice', code: '64008', msg: 'will be closed', connId: 'x' })
      }
      await world.clock.advance(100)
    }
    expect(opened).toBeLessThan(25)
  })

  test('a host that opens and never sends data is left for the next one', async () => {
    await start('okx', { symbols: ['BTC-USDT'], urls: ['wss://a.example/ws', 'wss://b.example/ws'] })
    for (let i = 0; i < 4; i++) {
      world.peer.open()
      world.peer.close()
      const before = world.peers.length
      while (world.peers.length === before) await world.clock.advance(1_000)
    }
    expect(new Set(world.peers.map(({ url }) => new URL(url).host)).size).toBe(2)
  })

  test('what could not be reached stays down, with the reason, while the next try is under way', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'] })
    world.peer.close(1006, 'connect ETIMEDOUT')
    while (world.peers.length === 1) await world.clock.advance(100)
    await world.clock.advance(5_000)
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('down')
    expect(stateOf('trade', 'BTCUSDT')?.reason).toContain('connect ETIMEDOUT')
    world.peer.open()
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('subscribing')
  })

  test('OKX: feeds whose market is halted are asked for ever more rarely; the others keep their socket', {
    timeout: 60_000,
  }, async () => {
    const halted = Array.from({ length: 30 }, (_, i) => `H${i}-USDT`)
    await start('okx', { symbols: ['BTC-USDT', ...halted] })
    world.peer.open()
    okxAckAll()
    let id = 0
    await pass(60, () => {
      for (const symbol of halted) for (let i = 0; i < 5; i++) world.peer.message(okxTrade(symbol, ++id))
      world.peer.message(okxTrade('BTC-USDT', ++id))
    })
    let answered = okxFrames().length
    await pass(4 * 3_600, () => {
      const frames = okxFrames()
      for (; answered < frames.length; answered++) okxAck(frames[answered] as OkxFrame)
      world.peer.message(okxTrade('BTC-USDT', ++id))
    })
    expect(world.peers).toHaveLength(1)
  })

  test('a connection that carries one quiet stream is not reopened for ever', async () => {
    await start('binance', { symbols: ['QUIETUSDT'] })
    let opened = 0
    const serve = () => {
      if (world.peers.length === opened) return
      opened = world.peers.length
      world.peer.open()
      binanceAck()
    }
    await pass(4 * 3_600, (second) => {
      serve()
      if (second % 180 === 170) world.peer.message(binanceTrade('QUIETUSDT', second))
    })
    expect(opened).toBeLessThan(8)
  })

  test('after stopping no timer is left', async () => {
    const { feed, rest, ledger } = await start('okx', {
      symbols: ['BTC-USDT', 'ETH-USDT'],
      channels: { trade: 'trades', book: 'books' },
    })
    world.peer.open()
    for (const frame of okxFrames().slice(0, 2)) okxAck(frame)
    world.peer.message({ event: 'error', id: okxFrames()[2]?.id, code: '60014', msg: 'too frequent', connId: 'x' })
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 10))
    world.peer.message(okxBook('BTC-USDT', 'update', 12, 13))
    feed.stop()
    rest.stop()
    ledger.stop()
    await world.clock.advance(0)
    expect(world.clock.pending).toBe(0)
  })

  test('after stopping while the list of instruments is awaited no timer is left', async () => {
    world.answer = () => new Promise(() => {})
    const { feed, rest, ledger } = await start('binance', { symbols: ['BTCUSDT'] })
    feed.stop()
    rest.stop()
    ledger.stop()
    await world.clock.advance(0)
    expect(world.clock.pending).toBe(0)
    expect(world.peers).toHaveLength(0)
  })
})

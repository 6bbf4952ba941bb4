/** Subscriptions that the venue refuses: for now, for good, one of many. */

import { beforeEach, describe, expect, test } from 'vitest'
import { createRecoveryRig, type OkxFrame, okxBook, okxTrade, type RecoveryRig } from './recovery-rig.ts'

let world: RecoveryRig['world']
let start: RecoveryRig['start']
let okxFrames: RecoveryRig['okxFrames']
let okxAck: RecoveryRig['okxAck']
let okxAckAll: RecoveryRig['okxAckAll']
let pass: RecoveryRig['pass']

beforeEach(() => {
  ;({ world, start, okxFrames, okxAck, okxAckAll, pass } = createRecoveryRig())
})

describe('subscriptions that are refused', () => {
  test('OKX: a hundred that are refused for now never break the hourly quota of the connection', async () => {
    const symbols = Array.from({ length: 100 }, (_, i) => `S${i}-USDT`)
    await start('okx', { symbols })
    world.peer.open()
    let answered = 0
    const askedAtMs: number[] = []
    for (let second = 0; second < 2 * 3_600; second++) {
      const frames = okxFrames()
      for (; answered < frames.length; answered++) {
        const frame = frames[answered] as OkxFrame
        askedAtMs.push(world.clock.monotonicMs())
        if (frame.args[0]?.instId === 'S0-USDT') okxAck(frame)
        else world.peer.message({ event: 'error', id: frame.id, code: '60014', msg: 'too frequent', connId: 'x' })
      }
      world.peer.message(okxTrade('S0-USDT', second))
      await world.clock.advance(1_000)
    }
    expect(world.peers).toHaveLength(1)
    for (const at of askedAtMs) {
      const inHour = askedAtMs.filter((other) => other > at - 3_600_000 && other <= at).length
      expect(inHour).toBeLessThanOrEqual(480)
    }
  })

  test('one that was confirmed meanwhile is not asked for again', async () => {
    await start('okx', { symbols: ['BTC-USDT'], channels: { book: 'books' } })
    world.peer.open()
    world.peer.message({ event: 'error', id: okxFrames()[0]?.id, code: '60014', msg: 'too frequent', connId: 'x' })
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 10))
    world.peer.message(okxBook('BTC-USDT', 'update', 12, 13))
    await world.clock.advance(10)
    okxAckAll()
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 20))
    await pass(8)
    expect(okxFrames().map(({ op }) => op)).toEqual(['subscribe', 'unsubscribe', 'subscribe'])
  })

  test('Deribit: what is switched off for a while is asked for again', async () => {
    const { stateOf } = await start('deribit', { symbols: ['BTC-PERPETUAL'] })
    world.peer.open()
    const asked = () => world.peer.frames.filter(({ method, id }) => method === 'public/subscribe' && Number(id) > 100)
    const error = { code: 11056, message: 'unauthenticated_public_requests_temporarily_disabled' }
    world.peer.message({ jsonrpc: '2.0', id: asked()[0]?.id, error })
    expect(stateOf('trade', 'BTC-PERPETUAL')?.reason).toContain('trying again')
    await pass(10)
    expect(asked()).toHaveLength(2)
  })

  test('a connection of which everything is refused for now is not silent: it is kept, and tells why', async () => {
    const { stateOf } = await start('okx', { symbols: ['BTC-USDT'] })
    world.peer.open()
    let answered = 0
    await pass(120, () => {
      for (const { id, op } of okxFrames().slice(answered))
        if (op === 'subscribe') world.peer.message({ event: 'error', id, code: '64007', msg: 'later', connId: 'x' })
      answered = okxFrames().length
    })
    expect(world.peers).toHaveLength(1)
    expect(new Set(okxFrames().map(({ op }) => op))).toEqual(new Set(['subscribe']))
    expect(stateOf('trade', 'BTC-USDT')?.reason).toBe('64007 later; trying again')
  })

  test('a connection on which nothing is answered any more is silent, though its only stream waits to be asked for', async () => {
    await start('okx', { symbols: ['BTC-USDT'] })
    world.peer.open()
    for (const { id } of okxFrames())
      world.peer.message({ event: 'error', id, code: '64007', msg: 'later', connId: 'x' })
    await pass(150)
    expect(world.peers.length).toBeGreaterThan(1)
  })

  test('a connection of which everything was refused for good is closed and stays closed', async () => {
    const { feed, stateOf } = await start('okx', { symbols: ['A-USDT', 'B-USDT'] })
    world.peer.open()
    for (const { id } of okxFrames())
      world.peer.message({ event: 'error', id, code: '60018', msg: "doesn't exist", connId: 'x' })
    expect(stateOf('trade', 'A-USDT')?.state).toBe('down')
    await world.clock.advance(600_000)
    expect(world.peers).toHaveLength(1)
    expect(world.peer.isClosedByUs).toBe(true)
    expect(feed.socketsWanted).toBe(0)
    expect(stateOf('trade', 'A-USDT')?.reason).toContain('60018')
  })
})

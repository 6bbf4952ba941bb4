/** Where WebSocket is off: what the answers tell of the gaps. */

import { describe, expect, test } from 'vitest'
import type { Gap } from '../../src/model/event.ts'
import { jsonAnswer } from '../helpers/world.ts'
import { createRig, exchangeInfo, type Rig, type Setup, type Started } from './rig.ts'

const POLL = { symbols: ['BTCUSDT'], pollIntervalMs: 5_000 }

/** What the venue has; `undefined`: it does not answer. */
interface Exchange {
  trades: readonly number[] | undefined
  listed: readonly string[] | undefined
}

const exchangeWith = (...trades: number[]): Exchange => ({ trades, listed: ['BTCUSDT', 'ETHUSDT'] })

function connect({ world }: Rig, exchange: Exchange): void {
  world.answer = ({ url }) => {
    const { trades, listed } = exchange
    const isList = url.includes('exchangeInfo')
    if ((isList ? listed : trades) === undefined) throw new Error('connect ECONNREFUSED')
    if (isList) return exchangeInfo(...(listed ?? []))
    return jsonAnswer(
      trades?.map((id) => ({ id, price: '1.5', qty: '2', time: 1_795_392_000_000 + id, isBuyerMaker: true })),
    )
  }
}

/** The next process, a minute after the last one. */
async function restart(
  last: Rig,
  { ledger, feed }: Started,
  exchange: Exchange,
  setup: Setup,
): Promise<[Rig, Started]> {
  ledger.stop()
  feed.stop()
  ledger.close()
  const rig = createRig()
  for (const [path, text] of last.world.disk) rig.world.disk.set(path, text)
  connect(rig, exchange)
  await rig.world.clock.advance(last.world.clock.monotonicMs() + 60_000)
  return [rig, await rig.start('binance', setup)]
}

const shortOf = ({ cause, state, lost }: Gap) => ({ cause, state, lost })

const tradesOf = ({ events }: Rig): string[] =>
  events.flatMap((event) => (event.type === 'trade' ? [event.trade_id ?? ''] : []))

describe('polled trades', () => {
  test('an answer that ends with what was delivered ends the gap of a restart', async () => {
    const first = createRig()
    const exchange = exchangeWith(1, 2, 3)
    connect(first, exchange)
    const before = await first.start('binance', POLL)
    await first.world.clock.advance(10_000)
    const [rig, { ledger, stateOf }] = await restart(first, before, exchange, POLL)
    await rig.world.clock.advance(10_000)
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('live')
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'shutdown', state: 'closed', lost: 0 }])
    expect([tradesOf(first), tradesOf(rig)]).toEqual([['1', '2', '3'], []])
  })

  test('a minute without answers begins at the last answer, not at the last trade, and ends with the next one', async () => {
    const rig = createRig()
    const exchange = exchangeWith(1, 2, 3)
    connect(rig, exchange)
    const { ledger } = await rig.start('binance', POLL)
    await rig.world.clock.advance(600_000)
    const lastUs = rig.world.clock.nowUs()
    exchange.trades = undefined
    await rig.world.clock.advance(60_000)
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'silence', state: 'open', lost: undefined }])
    exchange.trades = [1, 2, 3]
    await rig.world.clock.advance(5_000)
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'silence', state: 'closed', lost: 0 }])
    const [{ start_time_us: startUs, end_time_us: endUs = 0 }] = ledger.gaps() as [Gap]
    expect(Math.abs(lastUs - startUs)).toBeLessThan(5_000_000)
    expect(rig.world.clock.nowUs() - endUs).toBeLessThan(5_000_000)
  })

  test('an answer that lags behind what was delivered ends nothing', async () => {
    const rig = createRig()
    const exchange = exchangeWith(1, 2, 3)
    connect(rig, exchange)
    const { ledger } = await rig.start('binance', POLL)
    exchange.trades = undefined
    await rig.world.clock.advance(60_000)
    exchange.trades = [1, 2]
    await rig.world.clock.advance(30_000)
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'silence', state: 'open', lost: undefined }])
    exchange.trades = [1, 2, 3]
    await rig.world.clock.advance(5_000)
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'silence', state: 'closed', lost: 0 }])
  })

  test('a symbol without trades is collected; what it missed without answers nobody knows', async () => {
    const rig = createRig()
    const exchange = exchangeWith()
    connect(rig, exchange)
    const { ledger } = await rig.start('binance', POLL)
    await rig.world.clock.advance(600_000)
    expect(ledger.gaps()).toEqual([])
    expect([...ledger].map(({ isCollected }) => isCollected)).toEqual([true])
    exchange.trades = undefined
    await rig.world.clock.advance(60_000)
    exchange.trades = []
    await rig.world.clock.advance(5_000)
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'silence', state: 'closed', lost: undefined }])
  })

  test('what two answers have missed between them was missed since the first of them, whatever lagged behind since', async () => {
    const rig = createRig()
    const exchange = exchangeWith(1, 2, 3)
    connect(rig, exchange)
    const { ledger } = await rig.start('binance', POLL)
    await rig.world.clock.advance(600_000)
    const lastUs = rig.world.clock.nowUs()
    exchange.trades = [1, 2]
    await rig.world.clock.advance(60_000)
    exchange.trades = [7, 8]
    await rig.world.clock.advance(5_000)
    const [{ start_time_us: startUs, ...gap }] = ledger.gaps() as [Gap]
    expect(gap).toMatchObject({ cause: 'sequence_gap', lost: 3 })
    expect(Math.abs(lastUs - startUs)).toBeLessThan(5_000_000)
  })
})

describe('polled trades of a symbol that is removed and wanted again', () => {
  const other = { ...POLL, symbols: ['ETHUSDT'] }

  /** Resolves when the symbol was removed, `meanwhile` has happened, and it is wanted again. */
  async function removeAndAdd({ world }: Rig, { feed }: Started, meanwhile = () => {}): Promise<void> {
    const trades = feed.find('trade', 'BTCUSDT')
    if (trades !== undefined) feed.remove([trades], 'removed by a client')
    await world.clock.advance(60_000)
    meanwhile()
    void feed.add([{ channel: 'trade', name: 'trade', symbol: 'BTCUSDT' }])
    await world.clock.advance(10_000)
  }

  test('none is given twice, and what comes later goes on from there', async () => {
    const rig = createRig()
    const exchange = exchangeWith(1, 2, 3)
    connect(rig, exchange)
    const started = await rig.start('binance', POLL)
    await removeAndAdd(rig, started, () => {
      exchange.trades = undefined
    })
    await removeAndAdd(rig, started, () => {
      exchange.trades = [1, 2, 3]
    })
    expect(tradesOf(rig)).toEqual(['1', '2', '3'])
    expect(started.ledger.gaps()).toEqual([])
    exchange.trades = [7]
    await rig.world.clock.advance(5_000)
    expect(tradesOf(rig)).toEqual(['1', '2', '3', '7'])
    expect(started.ledger.gaps()).toMatchObject([{ cause: 'sequence_gap', last_sequence: 3, first_sequence: 7 }])
  })

  test('what was traded meanwhile is no gap, and an answer that lags behind is not where it stands', async () => {
    const rig = createRig()
    const exchange = exchangeWith(1, 2, 3)
    connect(rig, exchange)
    const started = await rig.start('binance', POLL)
    await removeAndAdd(rig, started, () => {
      exchange.trades = [1, 2]
    })
    exchange.trades = [2, 3, 9, 10]
    await rig.world.clock.advance(5_000)
    expect(tradesOf(rig)).toEqual(['1', '2', '3', '9', '10'])
    expect(started.ledger.gaps()).toEqual([])
  })

  test('numbers that the venue has begun anew meanwhile are new trades', async () => {
    const rig = createRig()
    const exchange = exchangeWith(11, 12, 13)
    connect(rig, exchange)
    const started = await rig.start('binance', POLL)
    const row = { id: 2, price: '1.5', qty: '2', time: 1_795_392_060_000, isBuyerMaker: true }
    await removeAndAdd(rig, started, () => {
      rig.world.answer = ({ url }) => (url.includes('/trades') ? jsonAnswer([row]) : exchangeInfo('BTCUSDT'))
    })
    expect(tradesOf(rig)).toEqual(['11', '12', '13', '2'])
  })

  test('none is given twice in a later process, also when the venue has not answered those before it', async () => {
    const first = createRig()
    const exchange = exchangeWith(1, 2, 3)
    connect(first, exchange)
    let [rig, started] = await restart(first, await first.start('binance', POLL), exchange, other)
    await rig.world.clock.advance(10_000)
    exchange.trades = undefined
    for (let count = 0; count < 4; count++) {
      ;[rig, started] = await restart(rig, started, exchange, POLL)
      await rig.world.clock.advance(120_000)
    }
    expect(started.ledger.gaps()[0]).toMatchObject({ cause: 'not_subscribed', state: 'open' })
    exchange.trades = [2, 3, 9]
    ;[rig, started] = await restart(rig, started, exchange, POLL)
    await rig.world.clock.advance(10_000)
    expect(tradesOf(rig)).toEqual(['9'])
    // What was traded while nobody wanted it is not counted.
    expect(started.ledger.gaps()[0]).toMatchObject({ cause: 'not_subscribed', state: 'closed', lost: undefined })
  })
})

test('polled trades from before a symbol went off the list do not say that it is back; the list does', async () => {
  const both = { ...POLL, symbols: ['BTCUSDT', 'ETHUSDT'] }
  const first = createRig()
  const exchange = exchangeWith(1, 2, 3)
  connect(first, exchange)
  const before = await first.start('binance', both)
  exchange.listed = ['ETHUSDT']
  await first.world.clock.advance(601_000)
  expect(before.stateOf('trade', 'BTCUSDT')?.state).toBe('delisted')
  exchange.listed = undefined
  const [rig, { ledger, stateOf }] = await restart(first, before, exchange, both)
  await rig.world.clock.advance(100_000)
  expect(stateOf('trade', 'BTCUSDT')?.ledger).toMatchObject({ isCollected: false, outage: undefined })
  exchange.listed = ['BTCUSDT', 'ETHUSDT']
  await rig.world.clock.advance(130_000)
  const gaps = ledger.gaps().filter(({ symbol }) => symbol === 'BTCUSDT')
  expect(gaps.map(shortOf)).toEqual([{ cause: 'delisted', state: 'closed', lost: 0 }])
  expect(tradesOf(rig)).toEqual([])
})

test('a stream that was pushed and cannot be polled is collected no more: its gap is final', async () => {
  const channels = { quote: 'bookTicker' }
  const first = createRig()
  const exchange = exchangeWith()
  connect(first, exchange)
  const before = await first.start('binance', { symbols: ['BTCUSDT'], channels })
  first.world.peer.open()
  const data = { u: 5, s: 'BTCUSDT', b: '1.0', B: '2', a: '1.1', A: '3' }
  first.world.peer.message({ stream: 'btcusdt@bookTicker', data })
  await first.world.clock.advance(3_000)
  const [rig, { ledger, stateOf }] = await restart(first, before, exchange, { ...POLL, channels })
  await rig.world.clock.advance(120_000)
  expect(stateOf('quote', 'BTCUSDT')).toMatchObject({ state: 'disabled', reason: 'not polled; needs WebSocket' })
  expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'shutdown', state: 'final', lost: undefined }])
  expect([...ledger].map(({ isCollected }) => isCollected)).toEqual([false])
})

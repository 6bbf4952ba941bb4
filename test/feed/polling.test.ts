/** Where WebSocket is off: what the answers tell of the gaps. */

import { describe, expect, test } from 'vitest'
import type { Gap } from '../../src/model/event.ts'
import { jsonAnswer } from '../helpers/world.ts'
import { createRig, exchangeInfo, type Rig, type Setup, type Started } from './rig.ts'

const POLL = { symbols: ['BTCUSDT'], pollIntervalMs: 5_000 }

/** A venue with these trades; `undefined`: it does not answer. */
type Answers = (readonly number[] | undefined)[]

/** The last of `answers` counts. */
function answerWith({ world }: Rig, answers: Answers): void {
  world.answer = ({ url }) => {
    const ids = answers.at(-1)
    if (ids === undefined) throw new Error('connect ECONNREFUSED')
    if (url.includes('exchangeInfo')) return exchangeInfo('BTCUSDT')
    return jsonAnswer(
      ids.map((id) => ({ id, price: '1.5', qty: '2', time: 1_795_392_000_000 + id, isBuyerMaker: true })),
    )
  }
}

/** The next process, a minute after the last one. */
async function restart(last: Rig, { ledger, feed }: Started, answers: Answers, setup: Setup): Promise<[Rig, Started]> {
  ledger.stop()
  feed.stop()
  ledger.close()
  const rig = createRig()
  for (const [path, text] of last.world.disk) rig.world.disk.set(path, text)
  answerWith(rig, answers)
  await rig.world.clock.advance(last.world.clock.monotonicMs() + 60_000)
  return [rig, await rig.start('binance', setup)]
}

const shortOf = ({ cause, state, lost }: Gap) => ({ cause, state, lost })

const tradesOf = ({ events }: Rig): string[] =>
  events.flatMap((event) => (event.type === 'trade' ? [event.trade_id ?? ''] : []))

describe('polled trades', () => {
  test('an answer that ends with what was delivered ends the gap of a restart', async () => {
    const first = createRig()
    const answers: Answers = [[1, 2, 3]]
    answerWith(first, answers)
    const before = await first.start('binance', POLL)
    await first.world.clock.advance(10_000)
    const [rig, { ledger, stateOf }] = await restart(first, before, answers, POLL)
    await rig.world.clock.advance(10_000)
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('live')
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'shutdown', state: 'closed', lost: 0 }])
    expect([tradesOf(first), tradesOf(rig)]).toEqual([['1', '2', '3'], []])
  })

  test('a minute without answers begins at the last answer, not at the last trade, and ends with the next one', async () => {
    const rig = createRig()
    const answers: Answers = [[1, 2, 3]]
    answerWith(rig, answers)
    const { ledger } = await rig.start('binance', POLL)
    await rig.world.clock.advance(600_000)
    const lastUs = rig.world.clock.nowUs()
    answers.push(undefined)
    await rig.world.clock.advance(60_000)
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'silence', state: 'open', lost: undefined }])
    answers.push([1, 2, 3])
    await rig.world.clock.advance(5_000)
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'silence', state: 'closed', lost: 0 }])
    const [{ start_time_us: startUs, end_time_us: endUs = 0 }] = ledger.gaps() as [Gap]
    expect(lastUs - startUs).toBeLessThan(5_000_000)
    expect(rig.world.clock.nowUs() - endUs).toBeLessThan(5_000_000)
  })

  test('an answer that lags behind what was delivered ends nothing', async () => {
    const rig = createRig()
    const answers: Answers = [[1, 2, 3]]
    answerWith(rig, answers)
    const { ledger } = await rig.start('binance', POLL)
    answers.push(undefined)
    await rig.world.clock.advance(60_000)
    answers.push([1, 2])
    await rig.world.clock.advance(30_000)
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'silence', state: 'open', lost: undefined }])
    answers.push([1, 2, 3])
    await rig.world.clock.advance(5_000)
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'silence', state: 'closed', lost: 0 }])
  })

  test('a symbol without trades is collected; what it missed without answers nobody knows', async () => {
    const rig = createRig()
    const answers: Answers = [[]]
    answerWith(rig, answers)
    const { ledger } = await rig.start('binance', POLL)
    await rig.world.clock.advance(600_000)
    expect(ledger.gaps()).toEqual([])
    expect([...ledger].map(({ isCollected }) => isCollected)).toEqual([true])
    answers.push(undefined)
    await rig.world.clock.advance(60_000)
    answers.push([])
    await rig.world.clock.advance(5_000)
    expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'silence', state: 'closed', lost: undefined }])
  })

  test('what two answers have missed between them was missed since the first of them', async () => {
    const rig = createRig()
    const answers: Answers = [[1, 2, 3]]
    answerWith(rig, answers)
    const { ledger } = await rig.start('binance', POLL)
    await rig.world.clock.advance(600_000)
    const lastUs = rig.world.clock.nowUs()
    answers.push([7, 8])
    await rig.world.clock.advance(5_000)
    const [{ start_time_us: startUs, ...gap }] = ledger.gaps() as [Gap]
    expect(gap).toMatchObject({ cause: 'sequence_gap', lost: 3 })
    expect(lastUs - startUs).toBeLessThan(5_000_000)
  })
})

test('a stream that was pushed and cannot be polled is collected no more: its gap is final', async () => {
  const channels = { quote: 'bookTicker' }
  const first = createRig()
  const answers: Answers = [[]]
  answerWith(first, answers)
  const before = await first.start('binance', { symbols: ['BTCUSDT'], channels })
  first.world.peer.open()
  const data = { u: 5, s: 'BTCUSDT', b: '1.0', B: '2', a: '1.1', A: '3' }
  first.world.peer.message({ stream: 'btcusdt@bookTicker', data })
  await first.world.clock.advance(3_000)
  const [rig, { ledger, stateOf }] = await restart(first, before, answers, { ...POLL, channels })
  await rig.world.clock.advance(120_000)
  expect(stateOf('quote', 'BTCUSDT')).toMatchObject({ state: 'disabled', reason: 'not polled; needs WebSocket' })
  expect(ledger.gaps().map(shortOf)).toEqual([{ cause: 'shutdown', state: 'final', lost: undefined }])
  expect([...ledger].map(({ isCollected }) => isCollected)).toEqual([false])
})

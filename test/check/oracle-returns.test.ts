/** What was lost comes back in time, and what is lost at the end of a stream is found. */

import { describe, expect, test } from 'vitest'
import { judge, type OracleOptions, type PromiseName } from '../../src/check/oracle.ts'
import { GoodRun, START_US, TRADES_KEPT, VENUE } from './good-run.ts'
import { drop, event, gap, type Trace } from './tampering.ts'

const SECOND = 1_000_000
const OPTIONS: Partial<OracleOptions> = { tradesKept: TRADES_KEPT, backUs: 100 * SECOND, unfoundUs: 75 * SECOND }
const verdict = (trace: Trace, options = OPTIONS): PromiseName[] => [
  ...new Set(judge(trace, options).map(({ promise }) => promise)),
]

const at = (seconds: number) => ({ venue: VENUE, atUs: START_US + seconds * SECOND })
const STREAM = { channel: 'trade', symbol: 'BTCUSDT' } as const
const asked = (seconds: number, answer: 'taken' | 'busy') =>
  ({ kind: 'asked', ...at(seconds), stream: 'btcusdt@trade', answer }) as const
const refused = (seconds: number, answer: 'refused' | 'busy' | 'taken' = 'refused') =>
  ({ ...asked(seconds, 'taken'), answer }) as const
const link = (seconds: number, state: 'open' | 'closed') =>
  ({ kind: 'connection', ...at(seconds), connection: 1, state }) as const
const fault = (seconds: number, name: string, more = {}) =>
  ({ kind: 'fault', ...at(seconds), fault: name, ...more }) as const

describe('a stream that is refused for now', () => {
  const begun = [link(0, 'open'), asked(1, 'busy')] as const

  test.each<readonly [name: string, trace: Trace, promises: readonly PromiseName[]]>([
    ['is asked for again', [...begun, asked(7, 'taken')], []],
    ['is asked for again too late', [...begun, asked(9, 'taken')], ['refusal_forgotten']],
    ['waits longer if answers may be missing', [fault(0, 'maintenance'), ...begun, asked(40, 'taken')], []],
    ['waits longer if the next request may not arrive', [...begun, fault(3, 'half-open'), asked(40, 'taken')], []],
    ['is late before a fault strikes', [...begun, fault(9, 'half-open'), asked(10, 'taken')], ['refusal_forgotten']],
    ['waits no longer after a mere end', [fault(0, 'socket-eof'), ...begun, asked(9, 'taken')], ['refusal_forgotten']],
    ['is forgotten', [...begun, fault(50, 'other')], ['refusal_forgotten']],
    ['is refused again: the waits grow', [...begun, asked(5, 'busy'), asked(40, 'taken')], []],
    [
      'is refused anew when it had been taken',
      [...begun, asked(5, 'taken'), asked(50, 'busy'), asked(100, 'taken')],
      ['refusal_forgotten'],
    ],
    ['is not, when the answer is lost', [...begun, fault(2, 'answer-lost'), asked(40, 'taken')], []],
    ['ends with its connection', [...begun, link(3, 'closed'), asked(40, 'taken')], []],
    ['ends with the process', [...begun, { kind: 'process', state: 'killed', ...at(3) }, asked(40, 'taken')], []],
  ])('%s', (_name, trace, promises) => {
    expect(verdict(trace)).toEqual(promises)
  })
})

describe('what a venue refuses', () => {
  const shown = (seconds: number, state: string, reason: string, hasOpenGap = true) =>
    ({ kind: 'shown', ...at(seconds), ...STREAM, stream: 'btcusdt@trade', state, reason, hasOpenGap }) as const
  const told = shown(6, 'down', 'refused: not available')
  const untold = shown(6, 'subscribing', '')
  const begun = [link(0, 'open'), refused(1)] as const

  test.each<readonly [name: string, trace: Trace, promises: readonly PromiseName[]]>([
    ['is told', [...begun, told], []],
    ['is not told', [...begun, untold], ['refusal_untold']],
    ['for now, is not told', [link(0, 'open'), refused(1, 'busy'), untold], ['refusal_untold']],
    ['is told without a reason', [...begun, shown(6, 'down', '')], ['refusal_untold']],
    ['is told, and no gap says that data are missing', [...begun, shown(6, 'down', 'x', false)], ['refusal_untold']],
    ['may be taken meanwhile', [...begun, refused(5, 'taken'), untold], []],
    ['was asked for again only just now', [...begun, refused(5), untold], []],
    ['is on the way to be asked for again', [...begun, untold, refused(6.4)], []],
    ['is asked for again too late to be on the way', [...begun, untold, refused(6.6)], ['refusal_untold']],
    ['is not told behind the end of its connection', [...begun, link(3, 'closed'), untold], []],
    ['is not told by the next process', [...begun, { kind: 'process', state: 'killed', ...at(3) }, untold], []],
    ['comes on another connection', [...begun, { kind: 'subscribed', ...at(2), ...STREAM, connection: 2 }, untold], []],
    ['is not told while nothing passes', [...begun, fault(2, 'network-pause'), untold], []],
    ['is told whatever REST does', [...begun, fault(2, 'rest-slow'), untold], ['refusal_untold']],
    ['is told whatever befalls another symbol', [...begun, fault(2, 'x', { symbol: 'A' }), untold], ['refusal_untold']],
    ['is off the list', [...begun, fault(2, 'symbol-unlisted', { symbol: 'BTCUSDT' }), untold], []],
  ])('%s', (_name, trace, promises) => {
    expect(verdict(trace)).toEqual(promises)
  })
})

describe('what a venue refuses for good', () => {
  const started = { kind: 'process', state: 'started', ...at(0) } as const
  const first = [started, link(0, 'open'), refused(1), refused(2)] as const

  test.each<readonly [name: string, trace: Trace, promises: readonly PromiseName[]]>([
    ['is asked for at once, alone', first, []],
    ['is asked for again and again', [...first, refused(62)], ['refusal_ignored']],
    ['is asked for again, and taken', [...first, refused(62, 'taken')], ['refusal_ignored']],
    ['is asked for again with the next list', [...first, refused(602)], []],
    [
      'is asked for again long before the second list',
      [started, link(0, 'open'), refused(609), refused(900)],
      ['refusal_ignored'],
    ],
    ['is asked for again with the list that comes soon', [started, link(0, 'open'), refused(109), refused(600)], []],
    ['is asked for by the next process', [...first, { kind: 'process', state: 'killed', ...at(3) }, refused(62)], []],
    ['is asked for again when the list came late', [fault(0, 'rest-status'), ...first, refused(62)], []],
    ['is asked for on the next connection', [...first, link(3, 'closed'), refused(62)], []],
    ['did not hear of it', [...first, fault(3, 'network-pause'), refused(62)], []],
    ['was taken before', [...first, refused(3, 'taken'), refused(62)], []],
    ['for now, is asked for again', [link(0, 'open'), refused(1, 'busy'), refused(6, 'busy'), refused(62)], []],
  ])('%s', (_name, trace, promises) => {
    expect(verdict(trace)).toEqual(promises)
  })
})

describe('a stream without a connection', () => {
  const away = (seconds: number) =>
    new GoodRun()
      .steps(3)
      .reset()
      .wait(seconds * 1000)

  test('is back in time', () => {
    expect(verdict(away(90).connect().steps(2).end())).toEqual([])
  })

  test('is back too late', () => {
    expect(verdict(away(110).connect().steps(2).end())).toEqual(['back_late'])
  })

  test('need not be while a fault goes on', () => {
    const run = new GoodRun().steps(3)
    run.fault('network-down', { untilUs: run.nowUs + 60 * SECOND })
    expect(verdict(run.reset().wait(110_000).connect().steps(2).end())).toEqual([])
  })

  test('is back all the same while its market stands still', () => {
    const run = new GoodRun().steps(3)
    run.fault('market-halted', { untilUs: run.nowUs + 60 * SECOND })
    expect(verdict(run.reset().wait(110_000).connect().steps(2).end())).toContain('back_late')
  })
})

describe('trades that are lost at the end of a stream', () => {
  /** The others go on. */
  const lost = (seconds: number, more?: (run: GoodRun) => void) => {
    const run = new GoodRun().steps(3).step('BTCUSDT', 'trade')
    more?.(run)
    for (let i = 0; i < seconds; i++) run.wait(900).step('ETHUSDT')
    return run.trace
  }

  test('are found in time, or are not yet missed', () => {
    expect(verdict(lost(70), { ...OPTIONS, settleUs: 200 * SECOND })).toEqual([])
  })

  test('are found by nobody', () => {
    expect(verdict(lost(90), { ...OPTIONS, settleUs: 200 * SECOND })).toEqual(['loss_unfound'])
  })

  test('cannot be found while nobody can ask', () => {
    const trace = lost(90, (run) => run.fault('rest-banned', { untilUs: run.nowUs + 30 * SECOND }))
    expect(verdict(trace, { ...OPTIONS, settleUs: 200 * SECOND })).toEqual([])
  })
})

describe('the gap of trades', () => {
  const run = () => new GoodRun().steps(3).reset().wait(1_000)

  test('ends when a connection carries them again', () => {
    expect(verdict(run().connect().steps(2).end())).toEqual([])
  })

  test('ends before', () => {
    const trace = run().connect().steps(2).end()
    const ended = trace.findIndex(gap({ channel: 'trade', symbol: 'BTCUSDT', state: 'closed' }))
    const carried = trace.findLastIndex((each) => each.kind === 'connection' && each.state === 'open')
    const [early] = trace.slice(ended, ended + 1)
    const moved = trace.toSpliced(ended, 1).toSpliced(carried, 0, ...(early === undefined ? [] : [early]))
    expect(verdict(moved)).toContain('gap_ended_early')
  })
})

test('trades that left long before a kill do not leave again', () => {
  const run = new GoodRun().steps(30).restart('killed').steps(2)
  const trace = run.end()
  const first = trace.find(event('trade', { symbol: 'BTCUSDT' }))
  const last = trace.findLast(event('trade', { symbol: 'BTCUSDT' }))
  if (first?.kind !== 'event' || last === undefined) throw new Error('no trades')
  const again = [...trace.slice(0, -10), { ...first, atUs: last.atUs }, ...trace.slice(-10)]
  expect(verdict(trace)).toEqual([])
  expect(verdict(again)).toContain('trade_duplicate')
})

test('a gap that never reaches a disk that is well', () => {
  const trace = new GoodRun().steps(3).step('BTCUSDT', 'trade', 2).steps(30).end()
  const named = trace.flatMap((each) => (each.kind === 'event' && each.event.type === 'gap' ? [each.event.id] : []))
  const undurable = drop((each) => each.kind === 'durable' && named.includes(each.id))(trace)
  expect(verdict(trace)).toEqual([])
  expect(verdict(undurable)).toContain('gap_not_durable')
})

test.each([
  ['just found', 4_900, 'drop', []],
  ['found a while ago', 500, 'drop', ['gap_left_open']],
  ['found a while ago, and the venue did not answer since,', 500, 'rest-html', []],
])('a gap that was %s when the run ends', (_name, earlierMs, fault, promises) => {
  const trace = new GoodRun().steps(3).step('BTCUSDT', 'trade').step('BTCUSDT').fault(fault).end()
  const isHealed = gap({ state: 'healed', channel: 'trade' })
  const ended = trace
    .filter((each) => !isHealed(each) && !event('trade', { source: 'backfill' })(each))
    .map((each) =>
      each.kind === 'end' || each.kind === 'checkpoint' ? { ...each, atUs: each.atUs - earlierMs * 1000 } : each,
    )
  expect(verdict(ended as Trace)).toEqual(promises)
})

import { describe, expect, test } from 'vitest'
import { judge, type PromiseName } from '../../src/check/oracle.ts'
import type { TraceEntry } from '../../src/check/trace.ts'
import { GoodRun, START_US, TRADES_KEPT, VENUE } from './good-run.ts'
import { change, changeEntry, drop, entry, event, type Trace } from './tampering.ts'

const verdict = (trace: Trace): PromiseName[] => [
  ...new Set(judge(trace, { tradesKept: TRADES_KEPT }).map(({ promise }) => promise)),
]

const at = (seconds: number) => ({ venue: VENUE, atUs: START_US + seconds * 1_000_000 })
const link = (seconds: number, connection: number, state: string) =>
  ({ kind: 'connection', ...at(seconds), connection, state }) as TraceEntry
const fault = (seconds: number, name: string, untilSeconds = seconds) =>
  ({ kind: 'fault', ...at(seconds), fault: name, untilUs: at(untilSeconds).atUs }) as TraceEntry

describe('a silent connection', () => {
  const begun = [link(0, 1, 'open'), link(10, 1, 'frozen')]
  const moved = (symbol: string) =>
    ({ kind: 'frame', ...at(10), channel: 'quote', symbol, connection: 1, fate: 'delivered' }) as TraceEntry
  const halted = (symbol: string, untilSeconds: number) =>
    ({ kind: 'fault', ...at(11), fault: 'market-halted', symbol, untilUs: at(untilSeconds).atUs }) as TraceEntry

  test.each<readonly [name: string, trace: Trace, promises: readonly PromiseName[]]>([
    ['is closed in time', [...begun, link(79, 1, 'closed')], []],
    ['is closed too late', [...begun, link(81, 1, 'closed')], ['dead_link_kept']],
    [
      'is closed in time after its market stood still',
      [...begun, moved('A'), halted('A', 60), link(129, 1, 'closed')],
      [],
    ],
    [
      'is closed too late after it',
      [...begun, moved('A'), halted('A', 60), link(131, 1, 'closed')],
      ['dead_link_kept'],
    ],
    [
      'is closed too late when another market moved',
      [...begun, moved('A'), moved('B'), halted('A', 60), link(81, 1, 'closed')],
      ['dead_link_kept'],
    ],
    ['thaws, and nobody had closed it', [...begun, link(130, 1, 'thawed')], ['dead_link_kept']],
    ['is there at the end', [...begun, fault(130, 'other')], ['dead_link_kept']],
    [
      'is not heard by a process that stands still',
      [...begun, fault(11, 'process-stalled'), link(99, 1, 'closed')],
      [],
    ],
    ['while a stall goes on', [fault(1, 'process-stalled', 20), ...begun, link(99, 1, 'closed')], []],
    ['the process ends', [...begun, { kind: 'process', state: 'killed', ...at(12) }, link(99, 1, 'closed')], []],
  ])('%s', (_name, trace, promises) => {
    expect(verdict(trace)).toEqual(promises)
  })
})

describe('a venue that throws everyone out', () => {
  const dials = (count: number, everySeconds: number, livedSeconds: number) =>
    Array.from({ length: count }, (_, i) => [
      link(i * everySeconds, i, 'open'),
      link(i * everySeconds + livedSeconds, i, 'closed'),
    ]).flat()

  test.each([
    ['as often as growing waits allow', dials(10, 1.5, 0.5), []],
    ['again and again', dials(21, 0.7, 0.2), ['dial_storm']],
    ['for long', dials(60, 2.5, 0.5), []],
    ['after a while', dials(30, 2.1, 2.05), []],
  ])('is dialled %s', (_name, trace, promises) => {
    expect(verdict(trace)).toEqual(promises)
  })
})

describe('a frame that nobody can read', () => {
  const spoilt = (name: string, channel: string, run: GoodRun): Trace => {
    const [before, after] = [run.steps(3).trace.length, run.steps(3).end()]
    const found = { kind: 'fault', atUs: run.nowUs, fault: name, venue: VENUE, channel, symbol: 'BTCUSDT' } as const
    return after.toSpliced(before, 0, { ...found, atUs: (after[before] as TraceEntry).atUs } as TraceEntry)
  }

  test.each([
    ['a ticker', 'frame-cut', 'ticker', ['spoilt_frame_untold']],
    ['a quote', 'frame-mistyped', 'quote', ['spoilt_frame_untold']],
    ['a trade: its number tells', 'frame-cut', 'trade', []],
    ['a frame that is whole', 'frame-late', 'ticker', []],
  ])('%s', (_name, name, channel, promises) => {
    expect(verdict(spoilt(name, channel, new GoodRun()))).toEqual(promises)
  })

  test('need not be told when it cannot have come: nothing passed', () => {
    const run = new GoodRun().steps(3)
    run.fault('network-down', { untilUs: run.nowUs + 3_000_000 })
    expect(verdict(spoilt('frame-cut', 'ticker', run.wait(1_000)))).not.toContain('spoilt_frame_untold')
  })

  test('is told by a gap', () => {
    const run = new GoodRun().steps(3)
    run.fault('frame-cut', { channel: 'ticker', symbol: 'BTCUSDT' })
    const trace = run.reset().connect().end()
    expect(verdict(trace)).toEqual([])
    expect(verdict(drop(event('gap', { channel: 'ticker', symbol: 'BTCUSDT' }))(trace))).toContain(
      'spoilt_frame_untold',
    )
  })
})

describe('a crossed book', () => {
  /** The first changes of the book bring an ask below every bid. */
  const crossed = (count: number): Trace => {
    let left = count
    return new GoodRun()
      .steps(9)
      .end()
      .map((each) => {
        if (each.kind !== 'event' || each.event.type !== 'book_delta' || each.event.symbol !== 'BTCUSDT') return each
        const asks = left-- > 0 ? ([['1.0', '1']] as const) : ([['1.0', '0']] as const)
        return { ...each, event: { ...each.event, asks } }
      })
  }

  test('may be so for three changes', () => {
    expect(verdict(crossed(3))).toEqual([])
  })

  test('is not compared with the true one: for how long it is called live counts', () => {
    expect(verdict(crossed(99))).toEqual(['crossed_book_live'])
  })

  test('is wrong after the fourth', () => {
    expect(verdict(crossed(4))).toEqual(['crossed_book_live'])
  })

  test('may be so while it is not called live', () => {
    const isLive = event('book_state', { symbol: 'BTCUSDT' })
    expect(verdict(change(isLive, { state: 'syncing' })(crossed(4)))).not.toContain('crossed_book_live')
  })
})

describe('fetched trades', () => {
  const healed = () => new GoodRun().steps(3).step('BTCUSDT', 'trade', 3).steps(3).end()
  const backwards = (trace: Trace): Trace => {
    const fetched = trace.filter(event('trade', { source: 'backfill' })).reverse()
    return trace.map((each) => (event('trade', { source: 'backfill' })(each) ? (fetched.shift() as TraceEntry) : each))
  }

  test('leave oldest first', () => {
    expect(verdict(healed())).toEqual([])
    expect(verdict(backwards(healed()))).toEqual(['backfill_disordered'])
  })

  test('of two answers may go back', () => {
    let [atUs = 0] = healed()
      .filter(event('trade', { source: 'backfill' }))
      .map((each) => each.atUs)
    const spread = backwards(healed()).map((each) =>
      event('trade', { source: 'backfill' })(each) ? { ...each, atUs: ++atUs } : each,
    )
    expect(verdict(spread)).not.toContain('backfill_disordered')
  })
})

test('an orderly end says so by itself', () => {
  const trace = new GoodRun().steps(3).restart('stopped').steps(3).end()
  expect(verdict(trace)).toEqual([])
  const later = trace.flatMap((each) =>
    event('gap', { cause: 'shutdown', state: 'open', channel: 'ticker' })(each) ? [] : [each],
  )
  expect(verdict(later)).toEqual(['process_gap_missing'])
})

test('a connection that was replaced is closed', () => {
  const trace = new GoodRun().steps(3).rotate().steps(3).end()
  expect(verdict(trace)).toEqual([])
  expect(verdict(drop(entry('connection', { state: 'closed' }))(trace))).toEqual(['stream_carried_twice'])
})

test('a stream that moved to another connection is given up on the first, before or after', () => {
  const replaced = new GoodRun().steps(3).rotate().steps(3).end()
  const trace = drop(entry('connection', { state: 'closed' }))(replaced)
  const isJoin = entry('subscribed', { connection: 2 })
  const given = (join: TraceEntry) => ({ ...join, kind: 'unsubscribed', connection: 1 }) as TraceEntry
  expect(verdict(trace.flatMap((each) => (isJoin(each) ? [given(each), each] : [each])))).toEqual([])
  expect(verdict(trace.flatMap((each) => (isJoin(each) ? [each, given(each)] : [each])))).toEqual([])
})

test('an end that is announced early enough is no cause of a gap', () => {
  const trace = new GoodRun().steps(3).reset().connect().steps(3).end()
  expect(verdict(changeEntry(entry('fault'), { fault: 'close-announced' })(trace))).toEqual([])
  expect(verdict(changeEntry(entry('fault'), { fault: 'close-announced-early' })(trace))).toEqual(['gap_without_cause'])
})

test('while nothing can be written, nobody can say until when the process lived', () => {
  const trace = new GoodRun().steps(3).wait(5_000).restart('killed').steps(3).end()
  const early = change(event('gap', { cause: 'process_down' }), { start_time_us: (us: number) => us - 3_000_000 })(
    trace,
  )
  expect(verdict(early)).toEqual(['gap_too_wide'])
  const full = { ...fault(0, 'disk-full', 9), atUs: START_US + 1_000 } as TraceEntry
  expect(verdict(early.toSpliced(1, 0, full))).toEqual([])
})

describe('a fault that strikes while a frame is under way', () => {
  /** The stream speaks once more so long after it has died; its loss is found much later, and long before the gap begins. */
  const dead = (underWayMs: number): Trace => {
    const run = new GoodRun().steps(3).fault('stream-dead', { channel: 'trade', symbol: 'BTCUSDT' })
    const trace = run.wait(underWayMs).step('BTCUSDT').wait(90_000).step('BTCUSDT', 'trade', 2).steps(3).end()
    const later = { start_time_us: (us: number) => us + 60_000_000 }
    const found = change(event('gap', { channel: 'trade' }), later)(trace)
    return drop(entry('fault', { fault: 'drop' }))(found)
  }

  test('is the cause of what is missing behind that frame', () => {
    expect(verdict(dead(3_000))).not.toContain('gap_without_cause')
  })

  test('is not, if it was over long before', () => {
    expect(verdict(dead(40_000))).toContain('gap_without_cause')
  })
})

test('what a process reads late of the numbers before a new start is not held against its gaps', () => {
  const run = new GoodRun().steps(3)
  const renumbered = { kind: 'renumbered', ...at(1), symbol: 'BTCUSDT', venueUs: at(1).atUs } as TraceEntry
  const lost = { channel: 'trade', cause: 'sequence_gap', start_time_us: at(62).atUs, end_time_us: at(62).atUs }
  const numbers = { last_sequence: 1_004, first_sequence: 1_007, lost: 2, healed: 2 }
  const found = { detected_time_us: at(62).atUs, gap_id: 'g', id: 'g 1', exchange: 'binance', venue: VENUE }
  const healed = { type: 'gap', market: 'spot', symbol: 'BTCUSDT', state: 'healed', ...lost, ...numbers, ...found }
  const told = { kind: 'event', atUs: at(62).atUs, event: healed } as unknown as TraceEntry
  const trace = [...run.trace, renumbered, told]
  expect(verdict(trace)).toContain('healed_untrue')
  for (const stall of [fault(0.9, 'process-stalled', 60), fault(20, 'process-stalled', 60)]) {
    const stalled = [...run.trace, renumbered, stall, told].sort((a, b) => a.atUs - b.atUs)
    expect(verdict(stalled)).not.toContain('healed_untrue')
  }
})

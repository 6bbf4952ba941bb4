/** What the collector could not know is not held against it, and no more than that. */

import { describe, expect, test } from 'vitest'
import { judge, type PromiseName } from '../../src/check/oracle.ts'
import type { TraceEntry } from '../../src/check/trace.ts'
import type { Gap, GapCause } from '../../src/model/event.ts'
import { GoodRun, START_US, TRADES_KEPT, VENUE } from './good-run.ts'
import { all, change, changeEntry, drop, dropAt, entry, event, gap, type Trace } from './tampering.ts'

const SECOND = 1_000_000
const BTC = { venue: VENUE, symbol: 'BTCUSDT' } as const
const plus = (difference: number) => (value: number) => value + difference

const verdict = (trace: Trace): PromiseName[] => [
  ...new Set(judge(trace, { tradesKept: TRADES_KEPT }).map(({ promise }) => promise)),
]

const fault = (atUs: number, name: string, more: object = {}) =>
  ({ kind: 'fault', atUs, fault: name, ...more }) as TraceEntry

/** Behind the first entry that `is`. */
const insert = (trace: Trace, is: (entry: TraceEntry) => boolean, ...entries: TraceEntry[]): Trace =>
  trace.toSpliced(trace.findIndex(is) + 1, 0, ...entries)

test('a stall before the end of the process is not forgotten over one that begins behind it', () => {
  const killed = new GoodRun().steps(3).restart('killed').steps(3).end()
  const early = change(gap({ cause: 'process_down' }), { start_time_us: plus(-5 * SECOND) })(killed)
  const isEnd = entry('process', { state: 'killed' })
  const endUs = killed.find(isEnd)?.atUs ?? 0
  const later = fault(endUs + SECOND, 'process-stalled', { untilUs: endUs + 9 * SECOND })
  expect(verdict(insert(early, isEnd, later))).toEqual(['gap_too_wide'])
  const sooner = fault(START_US - 5 * SECOND, 'process-stalled', { untilUs: endUs })
  expect(verdict([sooner, ...insert(early, isEnd, later)])).toEqual([])
})

test.each([
  ['just before', 300, true],
  ['long before', 9_000, false],
])(
  'a process is killed, and the clock had jumped %s: its last beat may lie behind the jump',
  (_name, waitMs, isRight) => {
    const good = new GoodRun().steps(3)
    const beatUs = good.nowUs - SECOND / 2
    const jumpMs = 3_600_000
    good.fault('wall-clock-jumps', { untilUs: good.nowUs + jumpMs * 1000 }).wait(jumpMs + waitMs)
    const trace = good.restart('killed').steps(2).end()
    const found = verdict(change(gap({ cause: 'process_down' }), { start_time_us: beatUs })(trace))
    expect(found.includes('gap_too_wide')).toBe(!isRight)
  },
)

describe('trades that are lost long before a kill, and nobody has noticed', () => {
  /** The gap of the kill ends up `wideMs` wider than to when the first of them was made. */
  function found(count: number, wideMs: number): PromiseName[] {
    const good = new GoodRun().steps(3).step('BTCUSDT', 'trade', count)
    const madeUs = good.nowUs
    const trace = good.wait(9_000).restart('killed').steps(3).end()
    const state = count > TRADES_KEPT ? 'final' : 'healed'
    const timed = change(event('trade', { source: 'backfill' }), { exchange_time_us: madeUs })(trace)
    return verdict(change(gap({ cause: 'process_down', state }), { start_time_us: madeUs - wideMs * 1000 })(timed))
  }

  test('the gap may begin when the first of them was made, and not before', () => {
    expect(found(2, 0)).toEqual([])
    expect(found(2, 100)).toEqual(['gap_too_wide'])
  })

  test('of which the first is gone: when it was made nobody can say', () => {
    expect(found(TRADES_KEPT + 20, 100)).toEqual([])
  })
})

test('a stream of which a failing disk never took a word is unknown to the next process', () => {
  const untold = drop(event('gap'))(new GoodRun().steps(3).restart('killed').steps(3).end())
  expect(verdict(untold)).toEqual(expect.arrayContaining(['process_gap_missing', 'book_chain_broken']))
  const failing = (atUs: number) => fault(atUs, 'sync-fails', { untilUs: START_US + 20 * SECOND })
  expect(verdict([failing(START_US), ...untold])).toEqual([])
  const late = insert(untold, event('book_snapshot', { symbol: 'ETHUSDT' }), failing(START_US + SECOND / 2))
  expect(verdict(late)).toEqual(expect.arrayContaining(['process_gap_missing', 'book_chain_broken']))
})

test('where a stream had come to, a failing disk may know by the numbers of an older numbering', () => {
  const killed = new GoodRun().steps(3).restart('killed').steps(3).end()
  const outdated = change(gap({ cause: 'process_down', channel: 'book' }), { last_sequence: plus(1_000_000) })(killed)
  expect(verdict(outdated)).toContain('gap_sequences_unfit')
  const full = fault(START_US + SECOND / 2, 'disk-full', { untilUs: START_US + 20 * SECOND })
  expect(verdict(insert(outdated, event('book_snapshot', { symbol: 'ETHUSDT' }), full))).not.toContain(
    'gap_sequences_unfit',
  )
})

test('nor are the trades between two such processes known to be missing', () => {
  const run = new GoodRun().steps(3).restart('killed').step('BTCUSDT', 'trade', 2).steps(3).end()
  const untold = drop(event('gap'))(drop(event('trade', { source: 'backfill' }))(run))
  const failing = (untilUs: number) => fault(START_US, 'sync-fails', { untilUs })
  expect(verdict([failing(START_US + 20 * SECOND), ...untold])).toEqual([])
  const isEnd = entry('process', { state: 'killed' })
  const endUs = untold.find(isEnd)?.atUs ?? 0
  expect(verdict([failing(endUs - 60 * SECOND), ...untold])).toContain('trade_missing_outside_gap')
  // The next process knows of its own.
  const again = new GoodRun().steps(3).restart('killed').steps(3).step('BTCUSDT', 'trade', 2).steps(3).end()
  const unseen = drop(event('gap'))(drop(event('trade', { source: 'backfill' }))(again))
  expect(verdict([failing(START_US + 20 * SECOND), ...unseen])).toContain('trade_missing_outside_gap')
})

test('in time that the clock leaves out nobody can find that the newest trade is missing', () => {
  const untold = dropAt(event('trade', BTC), -1)(new GoodRun().steps(30).end())
  const isMade = entry('traded', BTC)
  const madeUs = untold.findLast(isMade)?.atUs ?? 0
  const endUs = untold.at(-1)?.atUs ?? 0
  const leap = (fromUs: number, untilUs: number) =>
    verdict(untold.toSpliced(untold.findLastIndex(isMade) + 1, 0, fault(fromUs, 'wall-clock-jumps', { untilUs })))
  expect(leap(madeUs, endUs)).not.toContain('trade_missing_outside_gap')
  expect(leap(madeUs, madeUs + SECOND / 10)).toContain('trade_missing_outside_gap')
  expect(leap(madeUs - 60 * SECOND, madeUs - SECOND)).toContain('trade_missing_outside_gap')
})

test('a stream that the venue does not list needs no gap when the process stops', () => {
  const stopped = new GoodRun().steps(3).restart('stopped').steps(3).end()
  const isOfBook = gap({ ...BTC, channel: 'book', cause: 'shutdown', state: 'open' })
  const untold = drop(isOfBook)(stopped)
  expect(verdict(untold)).toContain('process_gap_missing')
  const unlisted = (symbol: string) =>
    fault(START_US, 'symbol-unlisted', { ...BTC, symbol, untilUs: START_US + 60 * SECOND })
  expect(verdict([unlisted('ETHUSDT'), ...untold])).toContain('process_gap_missing')
  expect(verdict([unlisted('BTCUSDT'), ...untold])).not.toContain('process_gap_missing')
})

test('what the disk had not taken when the process stopped is gone', () => {
  const run = new GoodRun().steps(3).step('BTCUSDT', 'trade', 2).steps(1).restart('stopped').steps(3).wait(60_000)
  const trace = run.end()
  const ids = new Set(
    trace.flatMap((each) =>
      each.kind === 'event' && each.event.type === 'gap' && isLoss(each.event) ? each.event.id : [],
    ),
  )
  const undurable = trace.filter((each) => each.kind !== 'durable' || !ids.has(each.id))
  expect(verdict(undurable)).toEqual(['data_before_durable', 'gap_not_durable'])
  const full = fault(START_US, 'disk-full', { untilUs: START_US + 2 * SECOND })
  expect(verdict([full, ...undurable])).toEqual([])
})

const isLoss = ({ cause }: Gap): boolean => cause === 'sequence_gap'

test('trades of a symbol that the venue does not list cannot be fetched', () => {
  const lost = new GoodRun().steps(3).step('BTCUSDT', 'trade', 2).steps(3).end()
  const final = { state: 'final', healed: 0, reason: 'not listed' }
  const givenUp = change(
    gap({ channel: 'trade', state: 'healed' }),
    final,
  )(drop(event('trade', { source: 'backfill' }))(lost))
  expect(verdict(givenUp)).toEqual(['trade_not_healed'])
  const unlisted = (symbol: string, untilUs: number) => fault(START_US, 'symbol-unlisted', { ...BTC, symbol, untilUs })
  expect(verdict([unlisted('BTCUSDT', START_US + 60 * SECOND), ...givenUp])).toEqual([])
  expect(verdict([unlisted('ETHUSDT', START_US + 60 * SECOND), ...givenUp])).toEqual(['trade_not_healed'])
  expect(verdict([unlisted('BTCUSDT', START_US), ...givenUp])).toEqual(['trade_not_healed'])
})

test('the last frame before a loss may have been under way when the fault struck, but not for long', () => {
  const run = new GoodRun().steps(3).wait(40_000).steps(3)
  const lastUs = run.nowUs
  const told = run.wait(60_000).step('BTCUSDT', 'trade', 2).steps(3).end()
  const late = change(gap({ cause: 'sequence_gap' }), { start_time_us: plus(45 * SECOND) })(told)
  const others = drop(entry('fault'))(late)
  const struck = (atUs: number) =>
    insert(others, (each) => each === others.findLast((before) => before.atUs <= atUs), fault(atUs, 'stream-dead', BTC))
  expect(verdict(struck(lastUs - SECOND / 10))).toEqual([])
  expect(verdict(struck(lastUs - 35 * SECOND))).toEqual(['gap_without_cause'])
})

test('a gap may begin where the newest data that left were received, however late they left', () => {
  const isClosed = gap({ ...BTC, channel: 'book', state: 'closed' })
  const run = new GoodRun().steps(3).wait(5_000).reset().connect().steps(3).end()
  const early = change(isClosed, { start_time_us: plus(-4 * SECOND) })(run)
  expect(verdict(early)).toEqual(['gap_too_wide'])
  const newest = early.slice(0, early.findIndex(isClosed)).findLast(event('book_snapshot', BTC))
  const received = change((each) => each === newest, { receive_time_us: START_US - 4 * SECOND })(early)
  expect(verdict(received)).toEqual([])
})

describe('what a second connection brought is gone', () => {
  const ticker = { ...BTC, channel: 'ticker' } as const
  const at = (seconds: number) => ({ atUs: START_US + seconds * SECOND })
  const link = (seconds: number, connection: number, state: string) =>
    ({ kind: 'connection', ...at(seconds), venue: VENUE, connection, state }) as TraceEntry
  const joined = (seconds: number, connection: number) =>
    ({ kind: 'subscribed', ...at(seconds), ...ticker, connection }) as TraceEntry
  const frame = (seconds: number, connection: number) =>
    ({ kind: 'frame', ...at(seconds), ...ticker, connection, fate: 'delivered' }) as TraceEntry
  const left = (seconds: number, made: object) =>
    ({ kind: 'event', ...at(seconds), event: { ...BTC, exchange: VENUE, market: 'spot', ...made } }) as TraceEntry
  const start_time_us = at(1).atUs
  const told = (seconds: number, id: string, more: object) => {
    const body = { type: 'gap', channel: 'ticker', id, gap_id: 'g', cause: 'disconnect', detected_time_us: at(2).atUs }
    return [left(seconds, { ...body, start_time_us, ...more }), { kind: 'durable', ...at(seconds), id } as TraceEntry]
  }
  /** The only connection is reset, and then some carry the stream; the last of them brings a frame. */
  const resumed = (carriers: readonly number[]): Trace => [
    { kind: 'process', ...at(0), state: 'started' },
    link(0, 1, 'open'),
    joined(0, 1),
    frame(1, 1),
    left(1, { type: 'ticker', id: 't1' }),
    fault(at(2).atUs, 'reset', { venue: VENUE, connection: 1 }),
    link(2, 1, 'closed'),
    ...told(2, 'g 1', { state: 'open' }),
    ...carriers.flatMap((id) => [link(3, id, 'open'), joined(3, id)]),
    frame(4, carriers.at(-1) ?? 0),
  ]
  const ended = [...told(9, 'g 2', { state: 'closed', end_time_us: at(9).atUs }), left(9, { type: 'ticker', id: 't2' })]

  test('if the process stops before the first has joined it', () => {
    const trace = (carriers: readonly number[]): Trace => [
      ...resumed(carriers),
      fault(at(5).atUs, 'process-stopped'),
      ...carriers.map((id) => link(5, id, 'closed')),
      { kind: 'process', ...at(5), state: 'stopped' },
      { kind: 'process', ...at(8), state: 'started' },
      link(8, 9, 'open'),
      joined(8, 9),
      frame(9, 9),
      ...ended,
    ]
    expect(verdict(trace([2, 3]))).toEqual([])
    expect(verdict(trace([2]))).toContain('gap_too_wide')
  })

  test('and what comes on a stream that is told to be refused waits for the next list of instruments', () => {
    const shown = (reason: string) =>
      ({ kind: 'shown', ...at(5), ...ticker, stream: 's', state: 'down', reason, hasOpenGap: true }) as TraceEntry
    expect(verdict([...resumed([2]), shown('refused: not available'), ...ended])).toEqual([])
    expect(verdict([...resumed([2]), shown('busy; trying again'), ...ended])).toEqual(['gap_too_wide'])
  })

  test('if it ends before the first has joined it', () => {
    const trace = (more: Trace): Trace => [...resumed([2, 3]), link(5, 3, 'closed'), ...more, frame(9, 2), ...ended]
    expect(verdict(trace([]))).toEqual([])
    expect(verdict(trace([frame(6, 2)]))).toContain('gap_too_wide')
  })
})

test.each<readonly [name: string, ends: (run: GoodRun) => GoodRun, cause: GapCause, isWrong: boolean]>([
  ['that was silent, all of its streams', (run) => run.freeze(), 'silence', false],
  ['that brought data until then, its own alone', (run) => run.reset(), 'disconnect', true],
])('when a connection ends %s may be touched by the fault of one symbol', (_name, ends, cause, isWrong) => {
  const trace = ends(new GoodRun().steps(3)).connect().steps(3).end()
  const ofOther = changeEntry(entry('fault'), { fault: 'unlisted', symbol: 'ETHUSDT', connection: undefined })
  const found = verdict(all(change(gap({ cause }), { cause: 'disconnect' }), ofOther)(trace))
  expect(found.includes('other_symbol_touched')).toBe(isWrong)
})

test.each([
  ['had not taken', false],
  ['had taken', true],
])('a killed process had delivered trades behind a gap whose end the disk %s', (_name, isTaken) => {
  const at = (seconds: number) => ({ atUs: START_US + seconds * SECOND })
  const left = (seconds: number, made: object) =>
    ({ kind: 'event', ...at(seconds), event: { ...BTC, exchange: 'okx', market: 'spot', ...made } }) as TraceEntry
  const trade = (seconds: number, id: string, numbers: object) =>
    left(seconds, { type: 'trade', id, exchange_time_us: at(seconds).atUs, ...numbers })
  const told = (seconds: number, id: string, more: object, isDurable = true): TraceEntry[] => {
    const of = { type: 'gap', channel: 'trade', id, gap_id: 'g', cause: 'disconnect', last_sequence: 1 }
    const times = { start_time_us: at(1).atUs, detected_time_us: at(2).atUs }
    const event = left(seconds, { ...of, ...times, ...more })
    return isDurable ? [event, { kind: 'durable', ...at(seconds), id }] : [event]
  }
  const trace: Trace = [
    { kind: 'process', ...at(0), state: 'started' },
    { kind: 'traded', ...at(1), ...BTC, first: 1, last: 4 },
    trade(1, 't1', { trade_id: '1' }),
    ...told(2, 'g 1', { state: 'open' }),
    ...told(3, 'g 2', { state: 'closed', end_time_us: at(3).atUs, first_sequence: 2, lost: 0 }, isTaken),
    trade(3, 'both', { trade_id: '3', first_trade_id: '2', last_trade_id: '3' }),
    { kind: 'process', ...at(4), state: 'killed' },
    { kind: 'process', ...at(5), state: 'started' },
    ...told(6, 'g 3', { state: 'open', end_time_us: at(6).atUs, first_sequence: 4, lost: 2 }),
    ...['2', '3'].map((id) => trade(6, `t${id}`, { trade_id: id, source: 'backfill' })),
  ]
  expect(verdict(trace).includes('trade_renamed')).toBe(isTaken)
})

test('a ticker whose symbol has no trade stream may be called silent, and no other stream', () => {
  const quiet = new GoodRun().steps(3).wait(40_000).steps(3).end()
  const isTicker = event('ticker', BTC)
  const place = quiet.findLastIndex(isTicker)
  const endUs = quiet[place]?.atUs ?? 0
  const told = new GoodRun().steps(2).reset().connect().steps(1).end()
  const silent = (channel: 'ticker' | 'quote'): Trace => {
    const made = told.filter(gap({ ...BTC, channel }))
    const [opened] = made.map((each) => (each.kind === 'event' ? each.event.id : ''))
    const times = { cause: 'silence', start_time_us: endUs - 1000, detected_time_us: endUs }
    const moved = changeEntry(() => true, { atUs: endUs })(change(() => true, times)(made))
    const ended = change(gap({ state: 'closed' }), { end_time_us: endUs })(moved)
    return quiet.toSpliced(place + 1, 0, ...ended, { kind: 'durable', atUs: endUs, id: opened ?? '' })
  }
  const trades = { ...BTC, channel: 'trade' }
  const refused = all(drop(entry('subscribed', trades)), drop(entry('frame', trades)))
  expect(verdict(silent('ticker'))).toContain('gap_without_cause')
  expect(verdict(refused(silent('ticker')))).not.toContain('gap_without_cause')
  expect(verdict(refused(silent('quote')))).toContain('gap_without_cause')
})

describe('a request during a ban', () => {
  const good = new GoodRun().steps(3).restart('killed').steps(3).end()
  const begun = (trace: Trace) => trace.findLast(entry('process', { state: 'started' }))?.atUs ?? 0
  const asked = (atUs: number) =>
    ({ kind: 'violation', atUs, venue: VENUE, rule: 'request-while-forbidden' }) as TraceEntry
  const isBegin = (each: TraceEntry) => entry('process', { state: 'started' })(each) && each.atUs === begun(good)
  const broken = (trace: Trace) => verdict(trace).includes('venue_rule_broken')

  test.each([
    ['was forbidden to a request of the process before', 100_000, false],
    ['was told to this one', 5_000_000, true],
  ])('that %s', (_name, afterUs, isBroken) => {
    const atUs = begun(good) + afterUs
    expect(broken(insert(good, isBegin, fault(atUs, 'rest-limited', { venue: VENUE }), asked(atUs + 1)))).toBe(isBroken)
  })

  test.each([
    ['before this process began', entry('process', { state: 'killed' }), false],
    ['since', isBegin, true],
  ])('is over by a clock that jumped %s', (_name, place, isBroken) => {
    const jump = fault(begun(good), 'wall-clock-jumps', { untilUs: begun(good) + 30_000_000 })
    expect(broken(insert(insert(good, isBegin, asked(begun(good) + 1)), place, jump))).toBe(isBroken)
  })
})

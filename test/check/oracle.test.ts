import { expect, test } from 'vitest'
import { judge, type PromiseName } from '../../src/check/oracle.ts'
import { GoodRun, START_US, TRADES_KEPT } from './good-run.ts'
import {
  all,
  change,
  changeEntry,
  copy,
  drop,
  dropAt,
  durableOf,
  entry,
  event,
  gap,
  move,
  type Tamper,
  type Trace,
} from './tampering.ts'

const BTC = { symbol: 'BTCUSDT' } as const
const plus = (difference: number) => (value: number) => value + difference
const SECOND = 1_000_000

/** Runs in which every promise is kept. */
const STORIES = {
  quiet: () => new GoodRun().steps(30),
  lostTrade: () => new GoodRun().steps(3).step('BTCUSDT', 'trade', 2).steps(3),
  lostManyTrades: () => new GoodRun().steps(3).step('BTCUSDT', 'trade', 80).steps(3),
  lostDelta: () => new GoodRun().steps(3).step('BTCUSDT', 'book').steps(3),
  reset: () => new GoodRun().steps(3).reset().connect().steps(3),
  frozen: () => new GoodRun().steps(3).freeze().connect().steps(3),
  killed: () => new GoodRun().steps(3).restart('killed').steps(3),
  stopped: () => new GoodRun().steps(3).restart('stopped').steps(3),
  killedInOutage: () => new GoodRun().steps(3).reset().restart('killed').steps(3),
  rotated: () => new GoodRun().steps(3).rotate().steps(3),
} as const
type Story = keyof typeof STORIES

const trace = (story: Story): Trace => STORIES[story]().end()
const verdict = (judged: Trace): PromiseName[] => [
  ...new Set(judge(judged, { tradesKept: TRADES_KEPT }).map(({ promise }) => promise)),
]

test.each(Object.keys(STORIES) as Story[])('the story %s breaks no promise', (story) => {
  expect(judge(trace(story), { tradesKept: TRADES_KEPT })).toEqual([])
})

const TRADE_GAP = { channel: 'trade', ...BTC } as const
const TICKER_GAP = { channel: 'ticker', ...BTC } as const
const closedTicker = { ...TICKER_GAP, state: 'closed' } as const
const BOOK_GAP = { channel: 'book', ...BTC } as const
const backfilled = event('trade', { source: 'backfill' })
const delta = event('book_delta', BTC)
const undurable =
  (pick: Parameters<typeof durableOf>[1]): Tamper =>
  (judged) =>
    drop(durableOf(judged, pick))(judged)

type Case = readonly [name: string, story: Story, tamper: Tamper, promise: PromiseName]

const TRADES: readonly Case[] = [
  ['lost and never told', 'lostTrade', all(drop(gap(TRADE_GAP)), drop(backfilled)), 'trade_missing_outside_gap'],
  ['the newest is lost', 'quiet', dropAt(event('trade', BTC), -1), 'trade_missing_outside_gap'],
  ['fetched, but never told', 'lostTrade', drop(gap(TRADE_GAP)), 'data_before_gap'],
  ['told too late', 'lostTrade', move(gap(TRADE_GAP), 0, event('trade', { trade_id: '1006' }), 0), 'data_before_gap'],
  ['twice', 'quiet', copy(event('trade', BTC), 5), 'trade_duplicate'],
  ['twice, as two', 'quiet', copy(event('trade', BTC), 5, { id: 'other' }), 'trade_duplicate'],
  ['again after a kill, as another', 'killed', again({ id: 'other' }), 'trade_renamed'],
  ['again after a stop', 'stopped', again({}), 'trade_duplicate'],
  ['invented', 'quiet', copy(event('trade', BTC), -1, { id: 'x', trade_id: '9999' }), 'trade_unknown'],
  ['said to be healed', 'lostTrade', dropAt(backfilled, 0), 'healed_untrue'],
  ['healed too little, and closed', 'lostTrade', giveUp('closed'), 'trade_not_healed'],
  ['given up at once', 'lostTrade', giveUp('final'), 'trade_not_healed'],
  ['given up with some to fetch', 'lostManyTrades', dropAt(backfilled, -1), 'trade_not_healed'],
  ['never ended', 'lostTrade', drop(gap({ ...TRADE_GAP, state: 'healed' })), 'gap_left_open'],
  ['not durable', 'lostTrade', undurable(gap({ ...TRADE_GAP, state: 'open' })), 'data_before_durable'],
  ['two messages too early', 'lostTrade', change(gap(TRADE_GAP), { last_sequence: plus(-2) }), 'gap_too_wide'],
  ['two messages too long', 'lostTrade', change(gap({ state: 'open' }), { first_sequence: plus(2) }), 'gap_too_wide'],
  ['too early', 'reset', change(gap(TRADE_GAP), { start_time_us: plus(-1.5 * SECOND) }), 'gap_too_wide'],
]

const BOOKS: readonly Case[] = [
  ['a break without a gap', 'lostDelta', drop(gap(BOOK_GAP)), 'book_chain_broken'],
  ['a change that never left', 'quiet', dropAt(delta, 2), 'book_chain_broken'],
  ['a change that left twice', 'quiet', copy(delta, 2), 'book_chain_broken'],
  ['told too late', 'lostDelta', drop(gap({ ...BOOK_GAP, state: 'open' })), 'data_before_gap'],
  ['behind what left', 'lostDelta', change(gap(BOOK_GAP), { last_sequence: plus(5) }), 'gap_sequences_unfit'],
  ['before what follows', 'lostDelta', change(closed, { first_sequence: plus(-3) }), 'gap_sequences_unfit'],
  ['begins too early', 'lostDelta', change(gap(BOOK_GAP), { last_sequence: plus(-10) }), 'gap_too_wide'],
  ['ends too late', 'lostDelta', change(closed, { first_sequence: plus(10) }), 'gap_too_wide'],
  ['ends in the future', 'lostDelta', change(closed, { end_time_us: plus(SECOND) }), 'gap_too_wide'],
  ['a change of a stale book', 'lostDelta', staleDelta, 'stale_book_delta'],
  ['live too early', 'lostDelta', move(gap({ ...BOOK_GAP, state: 'closed' }), 0, delta, -1), 'gap_open_while_live'],
  ['served wrong', 'quiet', serve({ bids: [['1', '1']] }), 'book_differs'],
  ['served too little', 'quiet', serve({ bids: [] }), 'book_differs'],
  ['told wrong', 'quiet', change(delta, { bids: [['99.5', '7']] }), 'replica_differs'],
]

const OUTAGES: readonly Case[] = [
  ['never told', 'reset', drop(gap(TICKER_GAP)), 'outage_outside_gap'],
  ['frozen, and never told', 'frozen', drop(gap(TICKER_GAP)), 'outage_outside_gap'],
  ['begins too late', 'reset', change(gap(TICKER_GAP), shifted(200_000)), 'outage_outside_gap'],
  ['ends too early', 'reset', change(gap(closedTicker), { end_time_us: plus(-100_000) }), 'outage_outside_gap'],
  ['begins too early', 'reset', change(gap(TICKER_GAP), { start_time_us: plus(-1.5 * SECOND) }), 'gap_too_wide'],
  ['ends too late', 'reset', change(gap(closedTicker), { end_time_us: plus(SECOND) }), 'gap_too_wide'],
  ['told behind the data', 'reset', all(drop(gap({ ...TICKER_GAP, state: 'open' })), late), 'data_before_gap'],
]

const CAUSES: readonly Case[] = [
  ['no fault at all', 'reset', drop(entry('fault')), 'gap_without_cause'],
  ['in a quiet run', 'quiet', falseGap, 'gap_without_cause'],
  ['a fault of another stream', 'lostTrade', changeEntry(entry('fault'), { channel: 'book' }), 'gap_without_cause'],
  ['a fault of another venue', 'lostTrade', changeEntry(entry('fault'), { venue: 'okx' }), 'gap_without_cause'],
  ['a fault long before', 'lostTrade', all(drop(entry('fault')), longBefore), 'gap_without_cause'],
  ['of another connection', 'reset', changeEntry(entry('fault'), { connection: 0 }), 'gap_without_cause'],
  ['of one symbol', 'reset', changeEntry(entry('fault'), { connection: undefined, ...BTC }), 'other_symbol_touched'],
]

const RECORDS: readonly Case[] = [
  ['ends before it begins', 'lostDelta', change(closed, { end_time_us: 1 }), 'gap_malformed'],
  ['noticed before it begins', 'lostDelta', change(gap(BOOK_GAP), { detected_time_us: 1 }), 'gap_malformed'],
  ['final for no reason', 'lostManyTrades', change(gap({ state: 'final' }), { reason: undefined }), 'gap_malformed'],
  ['healed more than lost', 'lostTrade', change(gap({ state: 'healed' }), { healed: 9 }), 'gap_malformed'],
  ['closed twice', 'reset', copy(gap(closedTicker), 0, { id: 'again' }), 'gap_state_order'],
  ['one id for two', 'reset', copy(gap(closedTicker), 0), 'gap_revision_repeated'],
  ['never closed', 'reset', drop(gap(closedTicker)), 'gap_left_open'],
  ['forgotten in a restart', 'killedInOutage', drop(gap(closedTicker)), 'gap_forgotten'],
  ['closed as another', 'killedInOutage', change(gap(closedTicker), { gap_id: 'other' }), 'gap_forgotten'],
]

const PROCESS: readonly Case[] = [
  ['no gap of a ticker', 'killed', drop(gap(TICKER_GAP)), 'process_gap_missing'],
  ['no gap of trades', 'killed', drop(gap(TRADE_GAP)), 'process_gap_missing'],
  ['no gap after a stop', 'stopped', drop(gap(TICKER_GAP)), 'process_gap_missing'],
  ['begins behind the kill', 'killed', change(gap(TICKER_GAP), shifted(2 * SECOND)), 'process_gap_missing'],
  ['ends before the data', 'killed', change(gap(closedTicker), { end_time_us: plus(-SECOND) }), 'process_gap_missing'],
  ['begins long before', 'killed', change(gap(TICKER_GAP), { start_time_us: plus(-3 * SECOND) }), 'gap_too_wide'],
]

const VIOLATION = { kind: 'violation', atUs: START_US, venue: 'binance', rule: 'weight' } as const
const END: readonly Case[] = [
  ['a limit', 'quiet', (judged) => [VIOLATION, ...judged], 'venue_rule_broken'],
  ['stale', 'quiet', changeEntry(entry('end', BTC), { state: 'stale' }), 'stream_not_live'],
]

const CASES = { TRADES, BOOKS, OUTAGES, CAUSES, RECORDS, PROCESS, END }
for (const [group, cases] of Object.entries(CASES)) {
  test.each(cases)(`${group}: %s (%s)`, (_name, story, tamper, promise) => {
    expect(verdict(tamper(trace(story)))).toEqual([promise])
  })
}

const HARMLESS: readonly (readonly [name: string, story: Story, tamper: Tamper])[] = [
  ['the same trade again after a kill', 'killed', again({})],
  ['one message more before a gap', 'lostTrade', change(gap(TRADE_GAP), { last_sequence: plus(-1) })],
  ['one message more behind it', 'lostTrade', change(gap({ state: 'open' }), { first_sequence: plus(1) })],
  ['a second more before an outage', 'reset', change(gap(TICKER_GAP), { start_time_us: plus(-0.9 * SECOND) })],
  ['a book that is not live may differ', 'quiet', serve({ state: 'stale', bids: [['1', '1']] })],
  ['a lost ticker that nobody can see', 'quiet', loseTicker],
  ['a gap event again after a kill', 'killedInOutage', copy(gap(TICKER_GAP), 0, {}, entry('process'), -1)],
  ['a suspended book that goes on', 'quiet', suspended],
]
test.each(HARMLESS)('harmless: %s', (_name, story, tamper) => {
  expect(judge(tamper(trace(story)), { tradesKept: TRADES_KEPT })).toEqual([])
})

test('what a fault ended for good need not come back', () => {
  const gone = all(
    changeEntry(entry('end', BTC), { state: 'delisted' }),
    copy(entry('process'), 0, { kind: 'fault', fault: 'delisted', venue: 'binance', ...BTC }),
  )
  expect(verdict(gone(trace('quiet')))).toEqual([])
})

test('rules may be excepted', () => {
  expect(judge([VIOLATION], { isRuleAllowed: (rule) => rule === 'weight' })).toEqual([])
})

test('a gap that was not durable may be forgotten when the power goes', () => {
  const told = new GoodRun().steps(3).reset().restart('killed', true).steps(3).end()
  const forgotten = all(undurable(gap({ ...TICKER_GAP, state: 'open' })), drop(gap(closedTicker)))
  expect(verdict(forgotten(told))).toEqual([])
})

test('while past trades cannot be fetched, a gap may be given up', () => {
  const giving = giveUp('final')(trace('lostTrade'))
  const busy = { kind: 'fault', fault: 'rest-timeout', venue: 'binance', untilUs: START_US + 1e12 } as const
  expect(verdict([{ ...busy, atUs: START_US }, ...giving])).toEqual([])
  const later = [{ ...busy, atUs: START_US, untilUs: START_US + SECOND }, ...giving]
  const end = { kind: 'process', atUs: START_US + 100 * SECOND, state: 'started' } as const
  expect(verdict([...later, end])).toEqual(['trade_not_healed'])
})

test('a clock that goes back is waited for', () => {
  const told = trace('reset')
  const jump = told.findIndex(({ kind }) => kind === 'fault')
  const behind = told.map((each, i) => (i < jump ? each : { ...each, atUs: each.atUs - 1 }))
  expect(verdict(behind)).toEqual([])
})

test('a process that stalled before it was killed was last alive before that', () => {
  const early = change(gap({ cause: 'process_down' }), { start_time_us: plus(-5 * SECOND) })(trace('killed'))
  expect(verdict(early)).toEqual(['gap_too_wide'])
  const stall = {
    kind: 'fault',
    fault: 'process-stalled',
    atUs: START_US - 5 * SECOND,
    untilUs: START_US + 9e6,
  } as const
  expect(verdict([stall, ...early])).toEqual([])
})

test('gaps of aggregates count aggregates', () => {
  const aggregate = (number: number) => ({
    trade_id: String(number - 500),
    first_trade_id: String(number),
    last_trade_id: String(number),
  })
  const aggregated = trace('lostTrade').map((each) => {
    if (each.kind !== 'event') return each
    if (each.event.type === 'trade')
      return { ...each, event: { ...each.event, ...aggregate(Number(each.event.trade_id)) } }
    if (each.event.type !== 'gap' || each.event.channel !== 'trade') return each
    const { last_sequence = 0, first_sequence = 0 } = each.event
    return {
      ...each,
      event: { ...each.event, last_sequence: last_sequence - 500, first_sequence: first_sequence - 500 },
    }
  })
  expect(verdict(aggregated)).toEqual([])
  expect(verdict(dropAt(backfilled, 0)(aggregated))).toEqual(['healed_untrue'])
  expect(verdict(dropAt(event('trade', BTC), -1)(aggregated))).toEqual(['trade_missing_outside_gap'])
})

test('a stream that is muted for long is an outage', () => {
  const run = new GoodRun().steps(3)
  for (let i = 0; i < 200; i++) run.wait(400).step('BTCUSDT', 'ticker')
  expect(verdict(run.end())).toEqual(['outage_outside_gap'])
})

test('violations come in the order of time, name their stream and say the numbers', () => {
  const wrong = all(drop(gap(TICKER_GAP)), changeEntry(entry('end', BTC), { state: 'stale', reason: 'why' }))
  const [first, ...others] = judge(wrong(trace('reset')))
  expect(first).toEqual({
    promise: 'outage_outside_gap',
    atUs: START_US + 950_000,
    stream: 'binance:ticker:BTCUSDT',
    text: 'nothing for 400 ms, not covered by gaps',
  })
  expect(others.map(({ text }) => text)).toEqual(Array(4).fill('stale: why'))
})

/** The newest trade before the process ended, told again after it has started. */
function again(fields: object) {
  return (judged: Trace): Trace => {
    const ended = judged.findLastIndex((each) => each.kind === 'process' && each.state === 'started')
    const before = judged.slice(0, ended).filter(event('trade', BTC)).length - 1
    return copy(event('trade', BTC), before, fields as Record<string, unknown>, entry('process'), -1)(judged)
  }
}

/** Nothing is fetched, and the gap ends all the same. */
function giveUp(state: 'closed' | 'final'): Tamper {
  const ended = change(gap({ ...TRADE_GAP, state: 'healed' }), { state, healed: 0, reason: 'no luck' })
  return all(drop(backfilled), ended)
}

function closed(each: Trace[number]): boolean {
  return gap({ ...BOOK_GAP, state: 'closed' })(each)
}

/** A change that follows the chain leaves after the book was told to be stale. */
function staleDelta(judged: Trace): Trace {
  const next = { id: 'next', bids: [], first_sequence: plus(2), last_sequence: plus(2) }
  const place = judged.findIndex(event('book_state', { ...BTC, state: 'stale' }))
  const index = judged.slice(0, place).filter(delta).length - 1
  const copied = copy(delta, index, { id: 'next' }, event('book_state', { state: 'stale' }), 0)(judged)
  return change(event('book_delta', { id: 'next' }), next)(copied)
}

function serve(served: object): Tamper {
  return (judged) =>
    judged.map((each) =>
      each.kind === 'checkpoint' && each.symbol === 'BTCUSDT'
        ? { ...each, served: { ...each.served, ...served } }
        : each,
    )
}

/** The closing event leaves behind the data. */
function late(judged: Trace): Trace {
  const { atUs } = judged.find(gap(closedTicker)) as Trace[number]
  const behind = judged.slice(0, judged.findIndex(gap(closedTicker))).filter(event('ticker', BTC)).length
  const moved = move(gap(closedTicker), 0, event('ticker', BTC), behind)(judged)
  expect(moved.find(gap(closedTicker))?.atUs).toBe(atUs)
  return moved
}

/** Something that nothing explains, told as it should be. */
function falseGap(judged: Trace): Trace {
  const place = judged.findLastIndex(event('ticker', BTC))
  const { atUs } = judged[place] as Trace[number]
  const told = (new GoodRun().steps(2).reset().connect().steps(1).end() as Trace).filter(gap(closedTicker))
  const made = all(
    change(gap(TICKER_GAP), { start_time_us: atUs - 1000, end_time_us: atUs, detected_time_us: atUs }),
    changeEntry(gap(TICKER_GAP), { atUs }),
  )(told)
  return judged.toSpliced(place + 1, 0, ...made, { kind: 'durable', atUs, id: idOf(made[0]) })
}

function longBefore(judged: Trace): Trace {
  const fault = { kind: 'fault', atUs: START_US - 60 * SECOND, fault: 'drop', venue: 'binance' } as const
  return [fault, ...judged]
}

/** A book is silent, is suspended, and goes on where it was. */
function suspended(judged: Trace): Trace {
  const state = trace('lostDelta').find(event('book_state', { ...BTC, state: 'stale' })) as Trace[number]
  const place = judged.findLastIndex(delta)
  const { atUs } = judged[place] as Trace[number]
  const live = changeEntry(() => true, { atUs })(change(() => true, { state: 'live', reason: 'resumed' })([state]))
  const stale = changeEntry(() => true, { atUs: atUs - 10 })([state])
  return judged.toSpliced(place, 1, ...stale, judged[place] as Trace[number], ...live)
}

/** One ticker frame is lost, and its event with it. */
function loseTicker(judged: Trace): Trace {
  const place = judged.findLastIndex(entry('frame', { channel: 'ticker', ...BTC }))
  const lost = changeEntry(() => true, { fate: 'lost' })(judged.slice(place, place + 1))
  const event = judged.slice(place).findIndex(({ kind }) => kind === 'event')
  return judged.toSpliced(place + event, 1).toSpliced(place, 1, ...lost)
}

function idOf(each: Trace[number] | undefined): string {
  return each?.kind === 'event' ? each.event.id : ''
}

function shifted(us: number) {
  return { start_time_us: plus(us), detected_time_us: plus(us) }
}

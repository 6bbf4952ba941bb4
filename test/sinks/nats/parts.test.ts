/** The parts of the sink that need no server. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAck } from '../../../src/sinks/nats/ack.ts'
import type { Checkpoint } from '../../../src/sinks/nats/checkpoint.ts'
import {
  canBeContinued,
  judgeHeld,
  lookFrom,
  RECENT_IDS_MAX,
  Seen,
  type StreamEnd,
} from '../../../src/sinks/nats/held.ts'
import { type Message, messageWriter } from '../../../src/sinks/nats/message.ts'
import { LSN_SPAN, NATS_DEFAULTS } from '../../../src/sinks/nats/options.ts'
import { judgeRun, Sharing } from '../../../src/sinks/nats/sharing.ts'
import { takes, weaknesses } from '../../../src/sinks/nats/stream.ts'
import { partsOf, subjectOf } from '../../../src/sinks/nats/subject.ts'
import { Window } from '../../../src/sinks/nats/window.ts'
import { Work } from '../../../src/sinks/nats/work.ts'
import { routeText } from '../../../src/sinks/route.ts'
import { record } from './rig.ts'

describe('a subject', () => {
  const symbol = fc.string({ unit: 'grapheme', minLength: 1 })

  test('says which stream it is of, whatever the symbol, and has five tokens that NATS takes', () => {
    fc.assert(
      fc.property(symbol, (text) => {
        const parts = { type: 'trade', exchange: 'acme', market: 'spot', symbol: text } as const
        const subject = subjectOf('market', routeText({ ...parts, venue: 'acme' }))
        expect(partsOf('market', subject ?? '')).toEqual(parts)
        expect(subject).toMatch(/^market(\.[\w%-]+){4}$/)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  test('does not exist for an empty part or what is no text', () => {
    expect(subjectOf('market', 'trade acme acme spot ')).toBeUndefined()
    expect(subjectOf('market', 'trade acme acme spot \ud800')).toBeUndefined()
  })

  test('of another form or prefix says nothing', () => {
    expect(partsOf('market', 'other.trade.acme.spot.S')).toBeUndefined()
    expect(partsOf('market', 'market.trade.acme.spot')).toBeUndefined()
    expect(partsOf('market', 'market.trade.acme.spot.S.more')).toBeUndefined()
  })
})

describe('an answer', () => {
  const read = (text: string, status?: string) => readAck(Buffer.from(text), status)

  test.each<[string, object]>([
    ['{"stream":"M", "seq":17}', { kind: 'stored', seq: 17 }],
    ['{"stream":"M","domain":"hub","seq":9007199254740991}', { kind: 'stored', seq: 9_007_199_254_740_991 }],
    ['{"stream":"M","seq":3,"duplicate": true}', { kind: 'duplicate', seq: 3 }],
    ['{"seq":3,"stream":"M"}', { kind: 'stored', seq: 3 }],
    [
      '{"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"}}',
      { kind: 'poison' },
    ],
    [
      '{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"M","seq":0}',
      { kind: 'refused', code: 10_077 },
    ],
    [
      '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 4"},"seq":12}',
      { kind: 'refused', code: 10_071 },
    ],
    ['{"stream":"M","seq":0}', { kind: 'refused' }],
    ['{"stream":"M","seq":}', { kind: 'refused' }],
    ['7}', { kind: 'refused' }],
    ['', { kind: 'refused' }],
    ['null', { kind: 'refused' }],
  ])('%s', (text, wanted) => {
    expect(read(text)).toMatchObject(wanted)
  })

  test('of the server itself means that nobody stores the subject', () => {
    expect(read('', '503')).toMatchObject({ kind: 'refused', code: 503 })
  })
})

describe('the window', () => {
  const writer = messageWriter({ prefix: 'market', logId: 'log', bytesMax: 1_000_000, inbox: '_INBOX.x.' })
  const message = (lsn: number): Message => {
    const made = writer.messageOf(record(lsn))
    if ('refusal' in made) throw new Error(made.refusal)
    return made
  }
  const put = (window: Window, lsn: number, sentMs = 0, isAsking = true) =>
    window.add({ message: message(lsn), work: new Work(), firstMs: sentMs, sentMs, isAsking })

  test('takes so many messages and bytes, and one of any size', () => {
    const { bytes } = message(1)
    const window = new Window({ windowMessages: 3, windowBytes: bytes * 2 })
    put(window, 1)
    expect(window.hasRoom(message(2))).toBe(true)
    put(window, 2)
    expect(window.hasRoom(message(3))).toBe(false)
    expect(new Window({ windowMessages: 3, windowBytes: 1 }).hasRoom(message(1))).toBe(true)
  })

  test('spans no more numbers than an older record may be missing behind the newest', () => {
    const window = new Window({ windowMessages: 100, windowBytes: 1e9 })
    expect(window.hasRoom(message(5))).toBe(true)
    const oldest = put(window, 5)
    put(window, 6)
    expect(window.hasRoom(message(4 + LSN_SPAN))).toBe(true)
    expect(window.hasRoom(message(5 + LSN_SPAN))).toBe(false)
    window.remove(oldest)
    expect(window.hasRoom(message(5 + LSN_SPAN))).toBe(true)
    expect(window.hasRoom(message(6 + LSN_SPAN))).toBe(false)
  })

  test('knows what has no answer for too long, but not what is being refused', () => {
    const window = new Window({ windowMessages: 100, windowBytes: 1e9 })
    const sendings = [put(window, 1, 10), put(window, 2, 20), put(window, 3, 30)]
    expect(window.unanswered(20)).toEqual(sendings.slice(0, 2))
    window.hold(sendings[0] as number)
    expect(window.unanswered(20)).toEqual([sendings[1]])
    expect(window.lowestLsn).toBe(1)
  })

  test('knows for which messages an answer speaks: up to the one before that has its own, or is over', () => {
    const window = new Window({ windowMessages: 100, windowBytes: 1e9 })
    const [first, own, second, third, last] = [false, true, false, false, true].map((isAsking, i) =>
      put(window, i + 1, 0, isAsking),
    ) as [number, number, number, number, number]
    expect(window.run(last)).toEqual([last, third, second])
    expect(window.run(own)).toEqual([own, first])
    window.remove(second)
    expect(window.run(last)).toEqual([last, third])
  })
})

describe('messages share an answer', () => {
  test('that speaks for all when as many were stored as were sent', () => {
    expect(judgeRun(110, 100, 10)).toBe('stored')
    expect(judgeRun(111, 100, 10), 'one of others').toBe('others')
    expect(judgeRun(109, 100, 10), 'one was known').toBe('fewer')
    expect(judgeRun(60, 100, 10), 'set back').toBe('fewer')
  })

  test('but not for a while when others publish; each time twice as long, up to an hour', () => {
    const sharing = new Sharing()
    expect(sharing.isOn(0)).toBe(true)
    for (const pauseMs of [60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 3_600_000, 3_600_000]) {
      sharing.pause(1_000)
      expect([sharing.isOn(999 + pauseMs), sharing.isOn(1_000 + pauseMs)]).toEqual([false, true])
    }
  })
})

describe('what a stream holds', () => {
  const end: StreamEnd = { created: 't', firstSeq: 1, lastSeq: 1000 }
  const remembered: Checkpoint = {
    logId: 'log',
    stream: 'S',
    created: 't',
    lsn: 10,
    floorSeq: 20,
    ackedSeq: 25,
    ackedLsn: 15,
  }
  const seen = (lsns: readonly number[], log = 'log') => {
    const all = new Seen('log', end)
    for (const lsn of lsns) all.add(lsn + 10, `id-${lsn}`, log, lsn, undefined)
    return all
  }
  const judge = (lsns: readonly number[], known?: Checkpoint, at = end) =>
    judgeHeld(seen(lsns), at, known, known !== undefined)

  test('is what was certain, all that joins it, and what stands alone', () => {
    expect(judge([8, 9, 11, 12, 14], remembered)).toEqual({ throughLsn: 12, further: new Set([14]) })
    expect(judge([9], remembered)).toEqual({ throughLsn: 10 })
    expect(judge([1, 2, 4])).toEqual({ throughLsn: 2, further: new Set([4]) })
  })

  test('is all but the span behind the newest', () => {
    const { throughLsn, further } = judge([LSN_SPAN + 500, LSN_SPAN + 501, LSN_SPAN + 90], remembered) ?? {
      throughLsn: 0,
    }
    expect(throughLsn).toBe(501)
    expect(further).toEqual(new Set([LSN_SPAN + 500, LSN_SPAN + 501, LSN_SPAN + 90]))
  })

  test('is nothing when it is empty, and not known when it is full of others', () => {
    expect(judge([], undefined, { ...end, lastSeq: 0 })).toEqual({ throughLsn: 0 })
    expect(judge([])).toBeUndefined()
    expect(judgeHeld(seen([5], 'other'), end, undefined, false)).toBeUndefined()
    expect(judgeHeld(seen([]), end, undefined, true), 'it has lost what we stored').toEqual({ throughLsn: 0 })
  })

  test('is not known when messages have gone since', () => {
    expect(judge([], remembered, { ...end, firstSeq: 900 })).toBeUndefined()
    expect(judge([], remembered, { ...end, firstSeq: 21, lastSeq: 20 })).toEqual({ throughLsn: 10 })
  })

  test('is in doubt unless our record stands where it was acknowledged', () => {
    const all = new Seen('log', end)
    all.add(25, 'id', 'other', 15, remembered)
    all.add(25, 'id', 'log', 14, remembered)
    all.add(24, 'id', 'log', 15, remembered)
    expect(all.hasAcked).toBe(false)
    all.add(25, 'id', 'log', 15, remembered)
    expect(all.hasAcked).toBe(true)
  })

  test('is not that of another stream, or of one that ends before what was acknowledged', () => {
    expect(canBeContinued(remembered, end)).toBe(true)
    expect(canBeContinued(remembered, { ...end, created: 'later' })).toBe(false)
    expect(canBeContinued(remembered, { ...end, lastSeq: 24 })).toBe(false)
  })

  test('is looked for from the mark on, or what was acknowledged last, and among the newest in any case', () => {
    const late = { ...end, lastSeq: 1_000_000 }
    expect(lookFrom({ ...remembered, floorSeq: 900_000, ackedSeq: 900_500 }, late)).toBe(900_001)
    expect(lookFrom({ ...remembered, floorSeq: 900_000, ackedSeq: 800_000 }, late)).toBe(800_000)
    expect(lookFrom({ ...remembered, floorSeq: 999_999, ackedSeq: 999_999 }, late)).toBe(1_000_001 - RECENT_IDS_MAX)
    expect(lookFrom({ ...remembered, floorSeq: 900_000, ackedSeq: 0 }, late)).toBe(900_001)
    expect(lookFrom(remembered, { ...late, firstSeq: 999_000 })).toBe(999_000)
  })

  test('needs a bounded memory, however much is looked at', () => {
    const all = new Seen('log', { ...end, lastSeq: 1_000_000 })
    for (let lsn = 1; lsn <= 200_000; lsn++) all.add(lsn, '', 'log', lsn, undefined)
    expect(all.above(0).size).toBeLessThanOrEqual(4 * LSN_SPAN)
    expect(all.isDeepEnough).toBe(true)
    expect(judgeHeld(all, end, undefined, false)).toEqual({ throughLsn: 200_000, further: new Set() })
  })
})

describe('a stream', () => {
  test.each<[boolean, readonly string[]]>([
    [true, ['market.>']],
    [true, ['>']],
    [true, ['other.>', 'market.*.*.*.*']],
    [true, ['*.>']],
    [false, []],
    [false, ['market.*']],
    [false, ['market']],
    [false, ['market.trade.>']],
    [false, ['markets.>']],
    [false, ['market.*.binance.>']],
    [false, ['market.*.*.*']],
    [false, ['market.*.*.*.*.*']],
  ])('%s: %j takes all that is published', (wanted, subjects) => {
    expect(takes(subjects, 'market')).toBe(wanted)
  })

  test('that has a subject for each type takes all', () => {
    const types = ['trade', 'ticker', 'quote', 'book_snapshot', 'book_delta', 'book_state', 'instrument']
    expect(
      takes(
        types.map((type) => `a.b.${type}.>`),
        'a.b',
      ),
    ).toBe(false)
    expect(
      takes(
        [...types, 'gap'].map((type) => `a.b.${type}.>`),
        'a.b',
      ),
    ).toBe(true)
  })

  test('that is weaker is told from one that is not', () => {
    const good = { storage: 'file', retention: 'limits', discard: 'new', num_replicas: 1, max_bytes: -1, max_msgs: -1 }
    const config = { ...good, max_msgs_per_subject: -1, max_age: 0, duplicate_window: 600e9 } as Parameters<
      typeof weaknesses
    >[0]
    const weak = (change: object) => weaknesses({ ...config, ...change } as typeof config, NATS_DEFAULTS.stream)
    expect(weak({})).toEqual([])
    expect(weak({ discard: 'old' }), 'without limits nothing is discarded').toEqual([])
    expect(weak({ discard: 'old', max_bytes: 1e9 }).join()).toContain('discards the oldest')
    expect(weak({ storage: 'memory' }).join()).toContain('memory')
    expect(weak({ retention: 'workqueue' }).join()).toContain('workqueue')
    expect(weak({ duplicate_window: 120e9 }).join()).toContain('120 s, not 600 s')
    expect(weak({ max_age: 3600e9 }).join()).toContain('3600 s, not 86400 s')
    expect(weaknesses(config, { ...NATS_DEFAULTS.stream, replicas: 3 }).join()).toContain('1 copies, not 3')
  })
})

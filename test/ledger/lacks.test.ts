import { expect, test } from 'vitest'
import { Lacks } from '../../src/ledger/lacks.ts'
import { openGap } from '../../src/ledger/records.ts'
import type { Gap } from '../../src/model/event.ts'

const STREAM = { exchange: 'x', venue: 'x', channel: 'trade', symbol: 'A', market: 'spot', proof: 'counter' } as const

function lacksOf() {
  const gaps: Gap[] = []
  const known: Gap[] = []
  const ids = () => new Set(gaps.map(({ gap_id }) => gap_id)).size
  const lacks = new Lacks({
    create: (start) => openGap(STREAM, `1-${gaps.length}`, start, 1_000),
    record: (gap, isKnown) => {
      gaps.push(gap)
      if (isKnown) known.push(gap)
    },
  })
  return { gaps, known, ids, lacks }
}

const full = (startUs: number, reason = 'given up; for nats') => ({ cause: 'log_full', startUs, reason }) as const

test('a loss that goes on is one gap, which grows', () => {
  const { gaps, ids, lacks } = lacksOf()
  lacks.add(full(100), { endUs: 200, lost: 3 }, 1)
  lacks.add(full(210), { endUs: 300, lost: 2 }, 1)
  lacks.add(full(90), { endUs: 250, lost: 1 }, 1)
  expect(ids()).toBe(1)
  expect(gaps).toMatchObject([
    { start_time_us: 100, end_time_us: 200, lost: 3, state: 'final' },
    { start_time_us: 100, end_time_us: 300, lost: 5, state: 'final' },
    { start_time_us: 90, end_time_us: 300, lost: 6, state: 'final' },
  ])
  expect(gaps.map(({ id }) => id.split(':').at(-1))).toEqual(['1', '2', '3'])
})

test('one that does not, or that other stores have, is a gap of its own', () => {
  const { gaps, ids, lacks } = lacksOf()
  lacks.add(full(100), { endUs: 200, lost: 3 }, 1)
  lacks.add(full(300, 'given up; for lake, nats'), { endUs: 400, lost: 1 }, 1)
  lacks.add(full(500), { endUs: 600, lost: 1 }, 2)
  lacks.add(full(600, 'not taken'), { endUs: 600, lost: 1 })
  lacks.add(full(610, 'not taken'), { endUs: 610, lost: 1 })
  expect(ids()).toBe(5)
  lacks.add(full(700), { endUs: 800, lost: 1 }, 2)
  expect(gaps.at(-1)).toMatchObject({ gap_id: gaps[2]?.gap_id, start_time_us: 500, end_time_us: 800, lost: 2 })
})

test('one that goes on is open until its end is told', () => {
  const { gaps, known, ids, lacks } = lacksOf()
  const start = full(100, 'not taken')
  lacks.add(start, undefined)
  lacks.add(full(150, 'not taken'), undefined)
  expect(gaps).toMatchObject([{ state: 'open', start_time_us: 100 }])
  expect(gaps[0]?.end_time_us).toBeUndefined()
  lacks.add(start, { endUs: 400, lost: 7 })
  expect(gaps).toMatchObject([{}, { state: 'final', start_time_us: 100, end_time_us: 400, lost: 7 }])
  expect(known).toEqual(gaps.slice(1))
  expect(ids()).toBe(1)
  lacks.add(full(500, 'not taken'), { endUs: 600, lost: 1 })
  expect(ids()).toBe(2)
})

test('one that went on when the process ended ends with it; nobody knows how much it was', () => {
  const { gaps, known, lacks } = lacksOf()
  const left = { ...openGap(STREAM, '0-1', full(100, 'not taken'), 100), lost: undefined }
  lacks.restore(left)
  lacks.restore({ ...left, gap_id: '0-2', cause: 'disconnect' })
  lacks.end(300)
  lacks.end(400)
  expect(gaps).toMatchObject([{ gap_id: '0-1', state: 'final', end_time_us: 300 }])
  expect([gaps[0]?.lost, known.length]).toEqual([undefined, 1])
  lacks.restore(left)
  lacks.restore({ ...left, state: 'final', end_time_us: 300 })
  lacks.end(500)
  expect(gaps).toHaveLength(1)
})

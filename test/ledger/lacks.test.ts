import { expect, test } from 'vitest'
import { Lacks } from '../../src/ledger/lacks.ts'
import { openGap } from '../../src/ledger/records.ts'
import type { Gap } from '../../src/model/event.ts'

const STREAM = { exchange: 'x', venue: 'x', channel: 'trade', symbol: 'A', market: 'spot', proof: 'counter' } as const

function lacksOf() {
  const gaps: Gap[] = []
  const ids = () => new Set(gaps.map(({ gap_id }) => gap_id)).size
  const lacks = new Lacks({
    create: (start) => openGap(STREAM, `1-${gaps.length}`, start, 1_000),
    record: (gap) => void gaps.push(gap),
  })
  return { gaps, ids, lacks }
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

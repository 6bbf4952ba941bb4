import { describe, expect, test } from 'vitest'
import { coverageOf } from '../../src/ledger/completeness.ts'
import type { Gap } from '../../src/model/event.ts'

const SECOND = 1_000_000

const gap = (from: number, to: number | undefined, more: Partial<Gap> = {}): Gap => ({
  type: 'gap',
  exchange: 'x',
  venue: 'x',
  market: 'spot',
  symbol: 'A',
  channel: 'trade',
  id: 'x:gap:A:1:1',
  gap_id: '1',
  cause: 'disconnect',
  state: to === undefined ? 'open' : 'closed',
  start_time_us: from * SECOND,
  end_time_us: to === undefined ? undefined : to * SECOND,
  detected_time_us: from * SECOND,
  ...more,
})

const coverage = (gaps: Gap[], since = 0, until = 100, stretches = [{ fromUs: 0 }]) =>
  coverageOf(stretches, gaps, since * SECOND, until * SECOND)

describe('coverage of a window', () => {
  test('without gaps it is whole', () => {
    expect(coverage([])).toMatchObject({ coveredShare: 1, secondsLost: 0, gaps: 0 })
  })

  test('gaps that overlap count once, and only within the window', () => {
    expect(coverage([gap(10, 30), gap(20, 40), gap(90, 200)], 0, 100)).toMatchObject({
      secondsLost: 40,
      coveredShare: 0.6,
      gaps: 3,
    })
  })

  test('an open gap lasts until the end of the window', () => {
    expect(coverage([gap(70, undefined)])).toMatchObject({ secondsLost: 30, openGaps: 1 })
  })

  test('healed gaps and those in which nothing was lost are covered; their numbers are told', () => {
    const gaps = [gap(10, 20, { state: 'healed', lost: 5, healed: 5 }), gap(30, 40, { lost: 0 })]
    expect(coverage(gaps)).toMatchObject({ coveredShare: 1, idsLost: 0, idsHealed: 5, gaps: 2 })
  })

  test('what could not be fetched is lost', () => {
    expect(coverage([gap(10, 20, { state: 'final', lost: 5, healed: 2 })])).toMatchObject({
      secondsLost: 10,
      idsLost: 3,
      idsHealed: 2,
    })
  })

  test('a loss without length is told, also at an edge; one that has a length and only touches the window is not', () => {
    const isTold = (...gaps: Gap[]) => coverage(gaps)?.hasMomentaryLoss
    expect(coverage([gap(50, 50)])).toMatchObject({ hasMomentaryLoss: true, coveredShare: 1, secondsLost: 0 })
    expect([isTold(gap(0, 0)), isTold(gap(100, 100, { state: 'final', lost: 1 }))]).toEqual([true, true])
    expect(isTold(gap(50, 50, { lost: 0 }), gap(60, 60, { state: 'healed', lost: 2, healed: 2 }))).toBe(false)
    expect(isTold(gap(-10, 0), gap(100, 110), gap(120, 120))).toBe(false)
  })

  test('the time in which the stream was not collected is no part of the window', () => {
    const stretches = [
      { fromUs: 20 * SECOND, untilUs: 40 * SECOND },
      { fromUs: 60 * SECOND, untilUs: 80 * SECOND },
    ]
    expect(coverage([gap(30, 70)], 0, 100, stretches)).toMatchObject({
      startUs: 20 * SECOND,
      endUs: 80 * SECOND,
      secondsCollected: 40,
      secondsLost: 20,
      coveredShare: 0.5,
    })
    expect(coverage([], 90, 100, stretches)).toBeUndefined()
  })

  test('what was collected twice by a clock that was set back counts once', () => {
    const stretches = [
      { fromUs: 40 * SECOND, untilUs: 80 * SECOND },
      { fromUs: 20 * SECOND, untilUs: 60 * SECOND },
    ]
    expect(coverage([gap(45, 60)], 0, 100, stretches)).toMatchObject({
      startUs: 20 * SECOND,
      endUs: 80 * SECOND,
      secondsCollected: 60,
      secondsLost: 15,
      coveredShare: 0.75,
    })
  })
})

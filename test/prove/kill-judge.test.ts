import { expect, test } from 'vitest'
import type { GapRecord } from '../../src/check/prove/child.ts'
import { judgeEnds, type ProcessEnd } from '../../src/check/prove/kill-judge.ts'

const SECOND_US = 1_000_000
const KILL_US = 1_800_000_000 * SECOND_US
const STREAM = 'okx trade BTC-USDT'

const end: ProcessEnd = {
  signal: 'SIGKILL',
  atUs: KILL_US,
  exit: { code: null, atUs: KILL_US },
  lastBeforeUs: new Map([[STREAM, KILL_US - 100_000]]),
  firstAfterUs: new Map([[STREAM, KILL_US + 3 * SECOND_US]]),
  listedUs: new Map(),
}

const gap = (fromS: number, toS: number, changes: Partial<GapRecord> = {}): GapRecord => ({
  gap_id: '1-1',
  venue: 'okx',
  symbol: 'BTC-USDT',
  channel: 'trade',
  cause: 'process_down',
  state: 'healed',
  start_time: new Date(KILL_US / 1000 + fromS * 1000).toISOString(),
  end_time: new Date(KILL_US / 1000 + toS * 1000).toISOString(),
  lost: 4,
  healed: 4,
  ...changes,
})

/** `wholeS`: after the kill. */
const judge = (gaps: readonly GapRecord[], wholeS = 3) => judgeEnds([end], gaps, () => KILL_US + wholeS * SECOND_US)

test('the judge of ends tells right gaps from missing, wrong and wide ones', () => {
  expect(judge([gap(-1, 3)])).toMatchObject({ uncovered: [], unexplained: [], unhealed: [], excessMs: [900] })
  expect(judge([gap(-1, 3)]).widest).toContain('900 ms early, -50 ms late')
  expect(judge([gap(10, 12)])).toMatchObject({
    uncovered: [expect.stringContaining(STREAM)],
    unexplained: [expect.stringContaining('process_down')],
  })
  expect(judge([gap(-1, 3, { cause: 'disconnect' })]).unexplained).toHaveLength(1)
  expect(judge([gap(-1, 3, { state: 'final', healed: 3 })]).unhealed).toHaveLength(1)
  expect(judge([gap(-4, 6)]).excessMs).toEqual([3_900 + 2_950])
  expect(judge([gap(-4, 6)], 5).excessMs).toEqual([3_900 + 950])
})

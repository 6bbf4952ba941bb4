import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { build, captures, normalize } from './command.ts'
import { answer, line, SPOT_INFO_URL, spotInfo, spotTrade } from './messages.ts'

const files = captures()
beforeAll(build, 120_000)
afterAll(files.remove)

const ids = (run: ReturnType<typeof normalize>): unknown[] => run.rows.map((row) => row.trade_id)
const good = (id: number): string => line('binance', spotTrade(id))

describe('a line that no recorder writes is counted, and the rest goes on:', () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  const trade = JSON.stringify(spotTrade(2))

  test.each([
    ['a venue that is no text', `{"ts":1,"venue":{"toString":1,"valueOf":1},"msg":${trade}}`],
    ['a venue nested deep', `{"ts":1,"venue":${deep},"msg":${trade}}`],
    ['a message nested deep', `{"msg":${deep},"venue":"binance"}`],
    ['text behind it', `${good(2)}xyz`],
    ['the beginning of another line behind it', `${good(2)}{"ts":16725157`],
  ])('%s', (_, odd) => {
    const run = normalize(['--strict'], [good(1), odd, good(3)].join('\n'))
    expect([ids(run), run.status]).toEqual([['1', '3'], 65])
    expect(run.errors).toContain('malformed 1')
  })

  test('bytes that are no UTF-8, as in a live frame', () => {
    const odd = Buffer.from(line('binance', spotTrade(2, 'BTC?USDT')))
    const run = normalize(
      ['--strict'],
      Buffer.concat([
        Buffer.from(`${good(1)}\n`),
        odd.map((byte) => (byte === 0x3f ? 0xff : byte)),
        Buffer.from(`\n${good(3)}`),
      ]),
    )
    expect([ids(run), run.status]).toEqual([['1', '3'], 65])
    expect(run.errors).toContain('frame 1: line: expected UTF-8')
  })

  test('an answer whose venue is no text', () => {
    const rest = files.write('odd.rest.jsonl', [
      `{"ts":1,"venue":{"toString":1,"valueOf":1},"url":"${SPOT_INFO_URL}","msg":{}}`,
      answer('binance', SPOT_INFO_URL, spotInfo),
    ])
    const run = normalize(['--rest', rest], good(1))
    expect([run.status, run.rows.map(({ type }) => type)]).toEqual([0, ['instrument', 'trade']])
    expect(run.errors).toContain(`${rest} line 0: skipped`)
  })
})

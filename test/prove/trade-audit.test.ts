import { expect, test } from 'vitest'
import { TradeAudit } from '../../src/check/prove/trade-audit.ts'
import type { Gap, Trade } from '../../src/model/event.ts'
import { simVenues } from '../../src/sim/index.ts'
import { createMarket } from '../../src/sim/market.ts'
import { fakeClock } from '../ops/fake-clock.ts'

const instruments = simVenues.find(({ id }) => id === 'deribit')?.instruments.slice(0, 1) ?? []
const symbol = instruments[0]?.symbol ?? ''

function watched() {
  const market = createMarket({ instruments, seed: 1, clock: fakeClock() })
  const audit = new TradeAudit()
  audit.watch('deribit', market)
  return { market, audit }
}

const told = (id: number) =>
  ({ type: 'trade', venue: 'deribit', symbol, trade_id: String(id), sequence: id }) as unknown as Trade

test('what a market made last is awaited, whatever of before is missing', () => {
  const { market, audit } = watched()
  expect(audit.hasNewest, 'nothing was made').toBe(true)

  let made = market.step(symbol).trades
  while (made.length < 2) made = market.step(symbol).trades
  audit.add(told(made[0]?.id ?? 0))
  expect(audit.hasNewest).toBe(false)
  audit.add(told(made.at(-1)?.id ?? 0))
  expect(audit.hasNewest).toBe(true)
})

test('a missing trade is told by the gap around its number, and by no other', () => {
  const { market, audit } = watched()
  const made = []
  while (made.length < 10) made.push(...market.step(symbol).trades)
  const first = made[0]?.id ?? 0
  const last = made.at(-1)?.id ?? 0
  for (let id = first; id <= last; id++) if (id !== first + 4 && id !== first + 5) audit.add(told(id))
  const gap = (state: Gap['state'], from: number, to?: number) =>
    ({
      type: 'gap',
      venue: 'deribit',
      channel: 'trade',
      symbol,
      state,
      last_sequence: first + from,
      ...(to !== undefined && { first_sequence: first + to }),
    }) as unknown as Gap
  expect(audit.missing()).toEqual([`deribit ${symbol}: 2 from ${first + 4} to ${first + 5}`])
  expect(audit.missingCount([gap('final', 3, 6)])).toBe(0)
  expect(audit.missingCount([gap('open', 3)]), 'its end is not known').toBe(0)
  expect(audit.missingCount([gap('final', 3, 5)])).toBe(1)
  expect(audit.missingCount([gap('open', 5)])).toBe(2)
  expect(audit.missingCount([gap('healed', 3, 6)]), 'it says that nothing is missing').toBe(2)
  expect(audit.missingCount([{ ...gap('final', 3, 6), symbol: 'OTHER' }])).toBe(2)
})

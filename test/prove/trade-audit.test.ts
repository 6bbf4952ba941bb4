import { expect, test } from 'vitest'
import { TradeAudit } from '../../src/check/prove/trade-audit.ts'
import type { Trade } from '../../src/model/event.ts'
import { simVenues } from '../../src/sim/index.ts'
import { createMarket } from '../../src/sim/market.ts'
import { fakeClock } from '../ops/fake-clock.ts'

test('what a market made last is awaited, whatever of before is missing', () => {
  const instruments = simVenues.find(({ id }) => id === 'deribit')?.instruments.slice(0, 1) ?? []
  const [{ symbol } = { symbol: '' }] = instruments
  const market = createMarket({ instruments, seed: 1, clock: fakeClock() })
  const audit = new TradeAudit()
  audit.watch('deribit', market)
  expect(audit.hasNewest, 'nothing was made').toBe(true)

  let made = market.step(symbol).trades
  while (made.length < 2) made = market.step(symbol).trades
  const told = (id: number) =>
    ({ type: 'trade', venue: 'deribit', symbol, trade_id: String(id), sequence: id }) as unknown as Trade
  audit.add(told(made[0]?.id ?? 0))
  expect(audit.hasNewest).toBe(false)
  audit.add(told(made.at(-1)?.id ?? 0))
  expect(audit.hasNewest).toBe(true)
})

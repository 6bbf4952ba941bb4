import { expect, test } from 'vitest'
import { exchangeView, type VenueFacts } from '../../src/collector/status.ts'

const venue = (over: Partial<VenueFacts> = {}): VenueFacts => ({
  feeds: [],
  socketsOpen: 0,
  socketsWanted: 0,
  isRestAvailable: true,
  bannedUntilUs: undefined,
  lastMessageUs: 1,
  ...over,
})

test('an exchange whose last symbol was delisted says so, and not that a connection is missing', () => {
  const reason = 'Deribit no longer lists BTC-27NOV26'
  const feeds = [{ symbol: 'BTC-27NOV26', state: 'delisted' as const, reason }]
  const view = exchangeView('deribit', [venue({ feeds })])
  expect(view).toMatchObject({ status: 'down', reason: `BTC-27NOV26 delisted: ${reason}` })
})

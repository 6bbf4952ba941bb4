import { crc32 } from 'node:zlib'
import type { OrderBook } from '../../book/order-book.ts'

const CHECKSUM_LEVELS = 25

/**
 * CRC-32 of the best 25 levels, `bid price:quantity:ask price:quantity:…` with the exact digits received, as a signed
 * 32-bit integer. Sent until June 2026, so only recordings carry it.
 *
 * Source: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel (text of August 2025)
 */
export function okxChecksum(book: OrderBook): number {
  const bids = book.bids.top(CHECKSUM_LEVELS)
  const asks = book.asks.top(CHECKSUM_LEVELS)
  const parts: string[] = []
  for (let i = 0; i < CHECKSUM_LEVELS; i++) {
    const bid = bids[i]
    const ask = asks[i]
    if (bid !== undefined) parts.push(bid[0], bid[1])
    if (ask !== undefined) parts.push(ask[0], ask[1])
  }
  return crc32(parts.join(':')) | 0
}

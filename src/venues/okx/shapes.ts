/**
 * The fields of each channel.
 *
 * Source: https://www.okx.com/docs-v5/en/#order-book-trading-market-data
 */

import { type Shape, shape } from '../shape.ts'

const ARG = 'arg.channel:s arg.instId:s'
const TRADE = 'data[].instId:s data[].tradeId:s data[].px:s data[].sz:s data[].side:s data[].ts:s data[].source:s?'
const LEVELS = 'data[].asks[][]:s data[].bids[][]:s data[].ts:s data[].seqId:n'
/** The checksum is 0 or missing since June 2026. */
const BOOK = shape(`${ARG} action:s ${LEVELS} data[].prevSeqId:n data[].checksum:n?`)

export const OKX_SHAPES: Readonly<Record<string, Shape>> = {
  trades: shape(`${ARG} ${TRADE} data[].count:s data[].seqId:n?`),
  'trades-all': shape(`${ARG} ${TRADE}`),
  tickers: shape(
    `${ARG} ${['instType', 'instId', 'last', 'lastSz', 'askPx', 'askSz', 'bidPx', 'bidSz', 'open24h', 'high24h', 'low24h', 'sodUtc0', 'sodUtc8', 'volCcy24h', 'vol24h', 'ts'].map((name) => `data[].${name}:s`).join(' ')}`,
  ),
  'bbo-tbt': shape(`${ARG} ${LEVELS}`),
  books: BOOK,
  'books-l2-tbt': BOOK,
  'books50-l2-tbt': BOOK,
}

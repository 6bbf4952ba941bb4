/** Records as the API shows them: the documented fields first, then what else the event says. */

import { z } from 'zod'
import type { EpochUs, Instrument, Level, Ticker, Trade } from '../model/event.ts'
import { isoTimeOrNull } from '../model/time.ts'
import { decimal, level, market, side, timeOrNull } from './schemas.ts'
import type { BookView } from './view.ts'

/** When the frame reached this process, and when the venue says that it happened. */
const times = (receiveUs: EpochUs | undefined, exchangeUs: EpochUs | undefined) => ({
  timestamp: isoTimeOrNull(receiveUs),
  exchange_time: isoTimeOrNull(exchangeUs),
})

const timesSchema = {
  timestamp: timeOrNull.describe('When it reached this process.'),
  exchange_time: timeOrNull.describe('When the venue says that it happened; `null` where it does not say.'),
}

const about = { venue: z.string(), instrument: z.string().nullable().describe('Canonical name.') }

export const tickerSchema = z.strictObject({
  symbol: z.string(),
  price: decimal.nullable().describe('Last price; `null` for an instrument that has never traded.'),
  ...timesSchema,
  ...about,
  bid_price: decimal.nullable(),
  ask_price: decimal.nullable(),
  open_24h: decimal.nullable(),
  high_24h: decimal.nullable(),
  low_24h: decimal.nullable(),
  volume_24h: decimal.nullable().describe('In base units on every venue.'),
  quote_volume_24h: decimal.nullable().describe('In quote units on every venue.'),
})

export const tickerRecord = (ticker: Ticker): z.input<typeof tickerSchema> => ({
  symbol: ticker.symbol,
  price: ticker.last_price ?? null,
  ...times(ticker.receive_time_us, ticker.exchange_time_us),
  venue: ticker.venue,
  instrument: ticker.instrument ?? null,
  bid_price: ticker.bid_price ?? null,
  ask_price: ticker.ask_price ?? null,
  open_24h: ticker.open_24h ?? null,
  high_24h: ticker.high_24h ?? null,
  low_24h: ticker.low_24h ?? null,
  volume_24h: ticker.volume_24h ?? null,
  quote_volume_24h: ticker.quote_volume_24h ?? null,
})

export const tradeSchema = z.strictObject({
  symbol: z.string(),
  price: decimal,
  quantity: decimal.describe("In the venue's own unit; `/api/v1/instruments` says what one unit is."),
  side,
  trade_id: z.string().nullable(),
  ...timesSchema,
  ...about,
})

export const tradeRecord = (trade: Trade): z.input<typeof tradeSchema> => ({
  symbol: trade.symbol,
  price: trade.price,
  quantity: trade.quantity,
  side: trade.side,
  trade_id: trade.trade_id ?? trade.last_trade_id ?? null,
  ...times(trade.receive_time_us, trade.exchange_time_us),
  venue: trade.venue,
  instrument: trade.instrument ?? null,
})

const knownTo = decimal
  .nullable()
  .describe(
    'The outermost price up to which every level is known; none beyond it is shown. `null`: the whole side is known.',
  )

export const bookSchema = z.strictObject({
  symbol: z.string(),
  bids: z.array(level).describe('Best first.'),
  asks: z.array(level).describe('Best first.'),
  ...timesSchema,
  ...about,
  state: z
    .enum(['live', 'syncing', 'stale'])
    .describe('Only `live` is proven: every update checked against the sequence. Anything else must not be traded on.'),
  reason: z.string().describe('Why it is in this state.'),
  sequence: z.int().nullable().describe("The venue's number of the last update applied."),
  bids_known_to: knownTo,
  asks_known_to: knownTo,
})

export const bookRecord = (book: BookView): z.input<typeof bookSchema> => ({
  symbol: book.symbol,
  bids: book.bids.map(copyLevel),
  asks: book.asks.map(copyLevel),
  ...times(book.receiveTimeUs, book.exchangeTimeUs),
  venue: book.venue,
  instrument: book.instrument ?? null,
  state: book.state,
  reason: book.reason,
  sequence: book.sequence ?? null,
  bids_known_to: book.bidsKnownTo ?? null,
  asks_known_to: book.asksKnownTo ?? null,
})

const copyLevel = ([price, quantity]: Level): [string, string] => [price, quantity]

export const instrumentSchema = z.strictObject({
  venue: z.string(),
  exchange: z.string(),
  symbol: z.string(),
  instrument: z.string().nullable().describe('Canonical name.'),
  market,
  status: z.string().describe("The venue's own word."),
  base: z.string(),
  quote: z.string(),
  settle: z.string().nullable(),
  tick_size: decimal.nullable(),
  lot_size: decimal.nullable(),
  min_quantity: decimal.nullable(),
  contract_size: decimal.nullable().describe('What one unit of `quantity` is worth, in `contract_currency`.'),
  contract_currency: z.string().nullable(),
  inverse: z.boolean().nullable(),
  strike: decimal.nullable(),
  option_type: z.enum(['call', 'put']).nullable(),
  listed_time: timeOrNull,
  expiry_time: timeOrNull,
  timestamp: timeOrNull.describe('When this metadata reached this process.'),
})

export const instrumentRecord = (instrument: Instrument): z.input<typeof instrumentSchema> => ({
  venue: instrument.venue,
  exchange: instrument.exchange,
  symbol: instrument.symbol,
  instrument: instrument.instrument ?? null,
  market: instrument.market,
  status: instrument.status,
  base: instrument.base,
  quote: instrument.quote,
  settle: instrument.settle ?? null,
  tick_size: instrument.tick_size ?? null,
  lot_size: instrument.lot_size ?? null,
  min_quantity: instrument.min_quantity ?? null,
  contract_size: instrument.contract_size ?? null,
  contract_currency: instrument.contract_currency ?? null,
  inverse: instrument.inverse ?? null,
  strike: instrument.strike ?? null,
  option_type: instrument.option_type ?? null,
  listed_time: isoTimeOrNull(instrument.listed_time_us),
  expiry_time: isoTimeOrNull(instrument.expiry_time_us),
  timestamp: isoTimeOrNull(instrument.receive_time_us),
})

/**
 * How much one instrument brings, for estimates. Each figure was measured on recorded messages, decoded, logged and
 * stored by this program:
 * - `usual`: a larger altcoin on a normal day (SUSHIUSDT of Binance USD-M 2021-07-22, DOTUSDT of Binance 2021-04-04,
 *   UNI-USD-SWAP and BTC-USDT of OKX 2022-05-13).
 * - `peak`: BTCUSDT of Binance USD-M in a volatile hour (2024-08-08 23:54 UTC, 345 s).
 * Most instruments bring less than `usual`; most options next to nothing.
 */

import type { Channel } from '../model/event.ts'
import type { Venue } from '../venues/venue.ts'

/** Of one stream. Bytes are those of one message: as received, in the durable log, in the lake's files. */
export interface Volume {
  readonly perSecond: number
  readonly wireBytes: number
  readonly logBytes: number
  readonly lakeBytes: number
}

export type VolumeCase = 'usual' | 'peak'

const VOLUMES: Readonly<Record<Channel, Readonly<Record<VolumeCase, Volume>>>> = {
  trade: {
    usual: { perSecond: 2, wireBytes: 185, logBytes: 430, lakeBytes: 20 },
    peak: { perSecond: 62, wireBytes: 161, logBytes: 382, lakeBytes: 10 },
  },
  ticker: {
    usual: { perSecond: 0.5, wireBytes: 400, logBytes: 545, lakeBytes: 115 },
    peak: { perSecond: 2.5, wireBytes: 400, logBytes: 545, lakeBytes: 115 },
  },
  quote: {
    usual: { perSecond: 10, wireBytes: 173, logBytes: 403, lakeBytes: 15 },
    peak: { perSecond: 192, wireBytes: 179, logBytes: 408, lakeBytes: 15 },
  },
  book: {
    usual: { perSecond: 9, wireBytes: 400, logBytes: 620, lakeBytes: 95 },
    peak: { perSecond: 19, wireBytes: 1600, logBytes: 1842, lakeBytes: 350 },
  },
}

/** A polled book is whole: 400 levels a side of BTC-USDT, OKX, 2022-05-13. */
const WHOLE_BOOK = { wireBytes: 25_400, logBytes: 19_200, lakeBytes: 3_800 }

/** What the stream of one instrument brings. Where the venue sends at an interval of its own, that is the rate. */
export function streamVolume({ channels }: Venue, channel: Channel, which: VolumeCase): Volume {
  const { intervalMs } = channels[channel] ?? {}
  const volume = VOLUMES[channel][which]
  return intervalMs === undefined ? volume : { ...volume, perSecond: 1000 / intervalMs }
}

/** The same where everything is polled: trades as they were made, everything else once an interval. */
export function polledVolume(channel: Channel, which: VolumeCase, intervalMs: number): Volume {
  const volume = VOLUMES[channel][which]
  if (channel === 'trade') return volume
  return { ...volume, ...(channel === 'book' && WHOLE_BOOK), perSecond: 1000 / intervalMs }
}

/** Plans that once broke a promise, as far as they could be shrunk: none does any more. Each comes from a seed of the search. */

import { expect, test } from 'vitest'
import { createOracle } from '../../src/check/oracle.ts'
import { RUN_OPTIONS } from '../../src/check/oracle-promises.ts'
import type { PlannedFault } from '../../src/check/plan.ts'
import { runSeed } from '../../src/check/run.ts'

const FOUND: readonly (readonly [string, number, readonly PlannedFault[]])[] = [
  [
    'a page of the old numbers arrives behind a new numbering',
    10109,
    [
      { atMs: 31342, kind: 'rest-slow', venue: 'okx', symbol: 'BTC-USDT', args: { ms: 8662, count: 1 } },
      { atMs: 35895, kind: 'trades-renumbered', venue: 'okx', symbol: 'BTC-USDT', args: { back: 47 } },
    ],
  ],
  [
    'the last trades of a dead stream are older than the last ticker',
    19837,
    [{ atMs: 42209, kind: 'stream-dead', venue: 'binance-usdm', symbol: 'ETHUSDT', channel: 'trade' }],
  ],
  [
    'a kill soon after the venue counted anew',
    22858,
    [
      { atMs: 41808, kind: 'disk-slow', venue: 'binance', args: { ms: 1113 } },
      { atMs: 44048, kind: 'trades-renumbered', venue: 'okx', symbol: 'BTC-USDT', args: { back: 58 } },
      { atMs: 45265, kind: 'process-killed', args: { ms: 500 } },
    ],
  ],
  [
    'a ban that a slow disk had not taken before a kill',
    24098,
    [
      { atMs: 11140, kind: 'rest-slow', venue: 'binance', symbol: 'ETHUSDT', args: { ms: 6689, count: 1 } },
      { atMs: 12720, kind: 'disk-slow', venue: 'binance-usdm', args: { ms: 3853 } },
      { atMs: 16247, kind: 'rest-banned-killed', venue: 'binance', symbol: 'ETHUSDT', args: { seconds: 20 } },
    ],
  ],
  [
    'a broken disk, a loss of power, and a symbol off the list',
    25238,
    [
      { atMs: 34570, kind: 'disk-broken', args: { ms: 12834 } },
      { atMs: 40298, kind: 'power-lost', args: { ms: 15000 } },
      { atMs: 54884, kind: 'symbol-unlisted', venue: 'okx', symbol: 'DOT-USDT', args: { ms: 5000, restart: false } },
    ],
  ],
  [
    'two symbols are refused at once',
    25617,
    [
      { atMs: 7074, kind: 'rest-slow', venue: 'okx', symbol: 'BTC-USDT', args: { ms: 3062, count: 1 } },
      { atMs: 8123, kind: 'subscription-refused-long', venue: 'binance', symbol: 'BTCUSDT', args: { ms: 118757 } },
      { atMs: 9050, kind: 'frame-late', venue: 'okx', symbol: 'BTC-USDT', channel: 'quote', args: { ms: 2596 } },
      { atMs: 10430, kind: 'subscription-refused-long', venue: 'binance', symbol: 'DOTUSDT', args: { ms: 110013 } },
    ],
  ],
  [
    'old numbers are read late, when the venue has used them again',
    26157,
    [
      {
        atMs: 13591,
        kind: 'frames-lost',
        venue: 'okx',
        symbol: 'ETH-USDT-SWAP',
        channel: 'trade',
        args: { count: 11 },
      },
      { atMs: 28494, kind: 'process-stalled', args: { ms: 60000, timers: true } },
      { atMs: 34874, kind: 'venue-sockets-reset', venue: 'okx' },
      { atMs: 37296, kind: 'trades-renumbered', venue: 'okx', symbol: 'ETH-USDT-SWAP', args: { back: 58 } },
    ],
  ],
  [
    'numbers that a killed process had told nobody of are used again',
    27285,
    [
      { atMs: 21778, kind: 'process-killed', args: { ms: 3000 } },
      { atMs: 24360, kind: 'trades-renumbered', venue: 'okx', symbol: 'ETH-USDT-SWAP', args: { back: 6 } },
    ],
  ],
  [
    'what a second connection had held back ends with it',
    27520,
    [
      { atMs: 32116, kind: 'subscription-silent', venue: 'binance', symbol: 'DOTUSDT', args: { ms: 5788 } },
      { atMs: 43046, kind: 'handover-lagging', venue: 'binance', args: { lag: 1163 } },
      { atMs: 53735, kind: 'socket-closed', venue: 'binance', args: { nth: 3, code: 1001 } },
    ],
  ],
  [
    'both markets of a silent connection stand still',
    28854,
    [
      { atMs: 30166, kind: 'last-trade-lost', venue: 'binance-usdm', symbol: 'BTCUSDT' },
      { atMs: 32203, kind: 'last-trade-lost', venue: 'binance-usdm', symbol: 'ETHUSDT' },
      { atMs: 38075, kind: 'socket-closed', venue: 'binance-usdm', args: { nth: 6, code: 1000 } },
      { atMs: 46868, kind: 'socket-silent', venue: 'binance-usdm', args: { nth: 6, ms: 120000 } },
    ],
  ],
  [
    'the clock was set back before a loss of power',
    29836,
    [
      { atMs: 6654, kind: 'wall-clock-jumps', args: { ms: -5000 } },
      { atMs: 10912, kind: 'power-lost', args: { ms: 500 } },
    ],
  ],
  [
    'a process that the disk never heard of',
    29955,
    [
      { atMs: 37492, kind: 'process-killed', args: { ms: 3000 } },
      { atMs: 40128, kind: 'disk-full', args: { ms: 8809 } },
      { atMs: 45766, kind: 'process-stopped', args: { ms: 10 } },
    ],
  ],
  [
    'the clock of a venue is set back behind a stop',
    18154,
    [
      { atMs: 35528, kind: 'process-stopped', args: { ms: 3000 } },
      { atMs: 38210, kind: 'venue-clock-jumps', venue: 'binance', args: { ms: -5000 } },
    ],
  ],
  [
    'the clock of a venue is set back while trades are missing',
    22763,
    [
      { atMs: 707, kind: 'late-frames', venue: 'binance-usdm' },
      { atMs: 5311, kind: 'venue-clock-jumps', venue: 'binance-usdm', args: { ms: -5000 } },
    ],
  ],
  [
    'the clock is set back between a kill and the next process',
    301078,
    [
      { atMs: 41668, kind: 'process-killed', args: { ms: 3000 } },
      { atMs: 43132, kind: 'wall-clock-jumps', args: { ms: -5000 } },
    ],
  ],
  [
    'an audit rebuilds the books of a connection that has fallen silent',
    406563,
    [{ atMs: 4286, kind: 'socket-silent', venue: 'binance-usdm', args: { nth: 1, ms: 120000 } }],
  ],
  [
    'the last quote comes again behind a broken handover, and then the market stands still',
    407835,
    [
      { atMs: 10011, kind: 'handover-broken', venue: 'binance', args: { ms: 988 } },
      { atMs: 14485, kind: 'half-open-quiet', venue: 'binance', args: { nth: 2, ms: 28496 } },
    ],
  ],
  [
    'a second connection brings something and ends, again and again, while the market stands still',
    502413,
    [
      { atMs: 2569, kind: 'frame-lost', venue: 'deribit', symbol: 'ETH-PERPETUAL', channel: 'book' },
      { atMs: 4375, kind: 'frame-lost', venue: 'binance', symbol: 'DOTUSDT', channel: 'ticker' },
      { atMs: 5111, kind: 'frame-lost', venue: 'binance-usdm', symbol: 'BTCUSDT', channel: 'book' },
      { atMs: 5462, kind: 'frame-lost', venue: 'deribit', symbol: 'ETH-PERPETUAL', channel: 'ticker' },
      { atMs: 6280, kind: 'rest-cut', venue: 'okx', symbol: 'ETH-USDT-SWAP', args: { count: 3 } },
      { atMs: 6423, kind: 'frame-lost', venue: 'binance-usdm', symbol: 'BTCUSDT', channel: 'book' },
      { atMs: 8331, kind: 'close-announced', venue: 'okx', args: { ms: 1000 } },
      { atMs: 8358, kind: 'connect-flapping', venue: 'okx', args: { nth: 4, ms: 12673, code: 429 } },
      { atMs: 10331, kind: 'last-frame-lost', venue: 'okx', symbol: 'BTC-USDT', channel: 'trade', args: { ms: 13282 } },
    ],
  ],
  [
    'a ban that is being written when a slow disk has just become fast, and a kill',
    502433,
    [
      { atMs: 38336, kind: 'disk-slow', venue: 'binance', args: { ms: 2939 } },
      { atMs: 49272, kind: 'rest-banned-killed', venue: 'binance', symbol: 'DOTUSDT', args: { seconds: 20 } },
    ],
  ],
  [
    'a silent connection with one symbol off the list and a market that stands still',
    503517,
    [
      {
        atMs: 8657,
        kind: 'symbol-unlisted-long',
        venue: 'binance-usdm',
        symbol: 'BTCUSDT',
        args: { ms: 900000, restart: false },
      },
      { atMs: 13949, kind: 'rest-failing-quiet', venue: 'binance-usdm', symbol: 'ETHUSDT', args: { count: 1 } },
      { atMs: 35863, kind: 'socket-silent', venue: 'binance-usdm', args: { nth: 1, ms: 120000 } },
    ],
  ],
  [
    'a venue counts anew while a stream is dead',
    504155,
    [
      { atMs: 18218, kind: 'stream-dead', venue: 'okx', symbol: 'BTC-USDT', channel: 'trade' },
      { atMs: 39093, kind: 'trades-renumbered', venue: 'okx', symbol: 'BTC-USDT', args: { back: 15 } },
    ],
  ],
  [
    'a trade that is held back makes its symbol’s ticker look silent',
    602851,
    [{ atMs: 46089, kind: 'frames-swapped', venue: 'binance', symbol: 'DOTUSDT', channel: 'trade' }],
  ],
  [
    'behind a stall an answer is read before the frames that came earlier',
    602183,
    [
      { atMs: 22943, kind: 'frames-swapped', venue: 'deribit', symbol: 'ETH-PERPETUAL', channel: 'book' },
      { atMs: 23395, kind: 'frames-swapped', venue: 'deribit', symbol: 'BTC-PERPETUAL', channel: 'trade' },
      { atMs: 33226, kind: 'frames-swapped', venue: 'binance', symbol: 'ETHUSDT', channel: 'quote' },
      { atMs: 34832, kind: 'socket-silent', venue: 'binance-usdm', args: { nth: 7, ms: 1000 } },
      { atMs: 40727, kind: 'late-frames', venue: 'deribit' },
      { atMs: 41249, kind: 'frames-swapped', venue: 'binance-usdm', symbol: 'BTCUSDT', channel: 'book' },
      { atMs: 41833, kind: 'venue-sockets-reset', venue: 'binance-usdm' },
      { atMs: 43943, kind: 'process-killed', args: { ms: 3000 } },
      { atMs: 48080, kind: 'process-stalled', args: { ms: 2000, timers: true } },
    ],
  ],
  [
    'a lagging connection brings old data while the network is down, and then the new one, which lost some, takes over',
    604306,
    [
      { atMs: 13385, kind: 'handover-lagging', venue: 'binance', args: { lag: 1899 } },
      { atMs: 18203, kind: 'network-down', args: { ms: 21119 } },
    ],
  ],
  [
    'a kill right behind the first trade, and a venue that counts anew',
    607881,
    [
      { atMs: 3703, kind: 'process-killed', args: { ms: 10 } },
      { atMs: 4821, kind: 'trades-renumbered', venue: 'okx', symbol: 'ETH-USDT-SWAP', args: { back: 9 } },
    ],
  ],
  [
    'a ban is told to a process that stands still',
    609312,
    [
      { atMs: 32271, kind: 'rest-banned', venue: 'binance-usdm', symbol: 'ETHUSDT', args: { seconds: 15 } },
      { atMs: 34016, kind: 'process-stalled', args: { ms: 8000, timers: true } },
    ],
  ],
  [
    'the clock jumps while trades are waited for',
    609165,
    [
      { atMs: 11036, kind: 'rest-error', venue: 'deribit', symbol: 'ETH-PERPETUAL', args: { count: 6 } },
      { atMs: 54052, kind: 'wall-clock-jumps', args: { ms: 3600000 } },
    ],
  ],
  [
    'the clock jumps during a ban',
    701024,
    [
      { atMs: 13988, kind: 'frame-not-utf8', venue: 'binance', symbol: 'DOTUSDT', channel: 'trade' },
      { atMs: 14758, kind: 'rest-banned', venue: 'binance', symbol: 'BTCUSDT', args: { seconds: 0 } },
      { atMs: 18441, kind: 'wall-clock-jumps', args: { ms: 3600000 } },
    ],
  ],
  [
    'two gaps are filled in the seconds that the clock goes through twice',
    712888,
    [
      { atMs: 41491, kind: 'rest-cut', venue: 'binance-usdm', symbol: 'BTCUSDT', args: { count: 5 } },
      { atMs: 41762, kind: 'frame-lost', venue: 'deribit', symbol: 'BTC-PERPETUAL', channel: 'trade' },
      { atMs: 43296, kind: 'wall-clock-jumps', args: { ms: -5000 } },
      { atMs: 46715, kind: 'late-frames', venue: 'binance-usdm' },
    ],
  ],
  [
    'a broken book is off the list, and comes back on another connection',
    609438,
    [
      { atMs: 30970, kind: 'frames-swapped', venue: 'okx', symbol: 'DOT-USDT', channel: 'book' },
      { atMs: 43504, kind: 'frame-lost', venue: 'binance-usdm', symbol: 'ETHUSDT', channel: 'book' },
      { atMs: 45576, kind: 'frame-lost', venue: 'okx', symbol: 'DOT-USDT', channel: 'book' },
      { atMs: 48048, kind: 'symbol-unlisted', venue: 'okx', symbol: 'DOT-USDT', args: { ms: 5000, restart: false } },
    ],
  ],
]

test.each(FOUND)('%s', async (_what, seed, plan) => {
  const oracle = createOracle(RUN_OPTIONS)
  const { crash } = await runSeed(seed, { plan, sinks: [oracle] })
  expect([crash, oracle.finish().map(({ promise, text }) => `${promise}: ${text}`)]).toEqual([undefined, []])
})

/** The later ones of the plans that once broke a promise. */

import type { PlannedFault } from '../../src/check/plan.ts'

export const FOUND_LATER: readonly (readonly [what: string, seed: number, plan: readonly PlannedFault[]])[] = [
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
    'what ended a gap never reached the disk: it is open again in the next process, and stays so during a ban',
    728324,
    [
      { atMs: 8819, kind: 'process-stopped', args: { ms: 15000 } },
      { atMs: 15207, kind: 'sync-fails', args: { ms: 14040 } },
      { atMs: 32499, kind: 'power-lost', args: { ms: 15000 } },
      { atMs: 41181, kind: 'rest-limited-absurdly', venue: 'binance-usdm', symbol: 'ETHUSDT', args: {} },
    ],
  ],
  [
    'a clock that was set back, and a kill before the process had caught up with it',
    727219,
    [
      { atMs: 2115, kind: 'wall-clock-jumps', args: { ms: -5000 } },
      { atMs: 3663, kind: 'process-killed', args: { ms: 500 } },
    ],
  ],
  [
    'the end of a gap never reached the disk, and the venue counts anew before the next process ends it',
    725863,
    [
      { atMs: 13197, kind: 'frame-lost', venue: 'okx', symbol: 'BTC-USDT', channel: 'book' },
      { atMs: 19994, kind: 'frame-lost', venue: 'deribit', symbol: 'ETH-PERPETUAL', channel: 'book' },
      { atMs: 22043, kind: 'venue-flapping', venue: 'okx', args: { ms: 5718, lives: 20 } },
      { atMs: 22659, kind: 'frame-lost', venue: 'binance-usdm', symbol: 'BTCUSDT', channel: 'book' },
      { atMs: 22796, kind: 'disk-broken', args: { ms: 10775 } },
      { atMs: 30754, kind: 'connect-slow', venue: 'okx', args: { nth: 5, ms: 8824, code: 429 } },
      { atMs: 32830, kind: 'sequence-reset', venue: 'okx', symbol: 'DOT-USDT', args: { lost: true } },
      { atMs: 34844, kind: 'power-lost', args: { ms: 10 } },
    ],
  ],
  [
    'frames of a symbol that is off the list arrive after a pause of the network, and a kill',
    724124,
    [
      { atMs: 5385, kind: 'rest-limited', venue: 'binance', symbol: 'ETHUSDT', args: { seconds: 15 } },
      { atMs: 13134, kind: 'network-pause', venue: 'binance', args: { nth: 5, ms: 11111 } },
      {
        atMs: 17853,
        kind: 'symbol-unlisted-long',
        venue: 'binance',
        symbol: 'ETHUSDT',
        args: { ms: 900000, restart: false },
      },
      { atMs: 53674, kind: 'process-killed', args: { ms: 15000 } },
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
  [
    'a venue counts anew during an outage and comes past the newest number while a trade from before is missing',
    744803,
    [
      { atMs: 5825, kind: 'frame-lost', venue: 'binance', symbol: 'DOTUSDT', channel: 'book' },
      { atMs: 6032, kind: 'frame-lost', venue: 'okx', symbol: 'DOT-USDT', channel: 'book' },
      { atMs: 6955, kind: 'venue-flapping', venue: 'okx', args: { ms: 5975, lives: 19 } },
      { atMs: 13556, kind: 'sequence-reset', venue: 'okx', symbol: 'DOT-USDT', args: { lost: true } },
      { atMs: 15800, kind: 'frame-lost', venue: 'binance-usdm', symbol: 'BTCUSDT', channel: 'quote' },
      { atMs: 15916, kind: 'frame-lost', venue: 'binance-usdm', symbol: 'BTCUSDT', channel: 'book' },
      { atMs: 18178, kind: 'frame-lost', venue: 'binance', symbol: 'DOTUSDT', channel: 'book' },
      { atMs: 18701, kind: 'frame-lost', venue: 'deribit', symbol: 'ETH-PERPETUAL', channel: 'quote' },
      { atMs: 21574, kind: 'rest-error', venue: 'okx', symbol: 'BTC-USDT', args: { count: 4 } },
      { atMs: 35925, kind: 'trades-renumbered', venue: 'okx', symbol: 'BTC-USDT', args: { back: 47 } },
      { atMs: 35938, kind: 'frame-lost', venue: 'binance-usdm', symbol: 'ETHUSDT', channel: 'book' },
      { atMs: 36159, kind: 'venue-flapping', venue: 'okx', args: { ms: 3652, lives: 24 } },
    ],
  ],
  [
    'trades cannot be fetched for long, then the clock jumps',
    745589,
    [
      {
        atMs: 9978,
        kind: 'losses-unhealed-killed',
        venue: 'binance-usdm',
        symbol: 'BTCUSDT',
        args: { ms: 13065, down: 3000 },
      },
      { atMs: 54758, kind: 'wall-clock-jumps', args: { ms: 3600000 } },
    ],
  ],
  [
    'the clock of a venue is set back while a connection is away',
    747939,
    [
      { atMs: 32133, kind: 'socket-reset', venue: 'binance', args: { nth: 2 } },
      { atMs: 33867, kind: 'venue-clock-jumps', venue: 'binance', args: { ms: -5000 } },
    ],
  ],
  [
    'a link that is to be replaced lags: a ticker comes seconds behind the trade that it follows',
    749001,
    [{ atMs: 30662, kind: 'handover-lagging', venue: 'binance', args: { lag: 2475 } }],
  ],
  [
    'power is lost, and a symbol is off the list when the next process begins',
    749878,
    [
      { atMs: 21223, kind: 'power-lost', args: { ms: 3000 } },
      { atMs: 23921, kind: 'symbol-unlisted', venue: 'okx', symbol: 'BTC-USDT', args: { ms: 5000, restart: false } },
    ],
  ],
  [
    'power is lost twice, and in between the disk does not take where a renumbered book stood',
    742830,
    [
      { atMs: 7598, kind: 'frame-lost', venue: 'okx', symbol: 'DOT-USDT', channel: 'book' },
      { atMs: 10244, kind: 'power-lost', args: { ms: 3000 } },
      { atMs: 12792, kind: 'sequence-reset', venue: 'okx', symbol: 'DOT-USDT', args: { lost: true } },
      { atMs: 15762, kind: 'sync-fails', args: { ms: 14293 } },
      { atMs: 20862, kind: 'power-lost', args: { ms: 3000 } },
    ],
  ],
  [
    'the disk takes nothing, and the next process begins behind a number that the venue has come past anew',
    762631,
    [
      { atMs: 9316, kind: 'trades-renumbered', venue: 'okx', symbol: 'ETH-USDT-SWAP', args: { back: 42 } },
      { atMs: 10991, kind: 'sync-fails', args: { ms: 13356 } },
      { atMs: 22809, kind: 'process-killed', args: { ms: 3000 } },
    ],
  ],
  [
    'the message in which a book is renumbered is lost, and its connection is replaced',
    764794,
    [
      { atMs: 47070, kind: 'sequence-reset', venue: 'okx', symbol: 'DOT-USDT', args: { lost: true } },
      { atMs: 48450, kind: 'close-announced', venue: 'okx', args: { ms: 50 } },
    ],
  ],
  [
    'trades are numbered anew, and the first frames behind it are swapped',
    769659,
    [
      { atMs: 5112, kind: 'frames-swapped', venue: 'okx', symbol: 'BTC-USDT', channel: 'trade' },
      { atMs: 7433, kind: 'trades-renumbered', venue: 'okx', symbol: 'BTC-USDT', args: { back: 4 } },
    ],
  ],
  [
    'a stream is silent on the first of two links, and the process is killed before the second takes over',
    768112,
    [
      { atMs: 4039, kind: 'late-frames', venue: 'okx' },
      { atMs: 6416, kind: 'frame-lost', venue: 'deribit', symbol: 'BTC-PERPETUAL', channel: 'quote' },
      { atMs: 7214, kind: 'frame-lost', venue: 'deribit', symbol: 'ETH-PERPETUAL', channel: 'book' },
      { atMs: 20110, kind: 'subscription-silent', venue: 'deribit', symbol: 'BTC-PERPETUAL', args: { ms: 5838 } },
      { atMs: 20711, kind: 'frame-lost', venue: 'binance', symbol: 'ETHUSDT', channel: 'book' },
      { atMs: 27951, kind: 'maintenance', venue: 'deribit', args: { seconds: 2, close: false } },
      { atMs: 45381, kind: 'process-killed', args: { ms: 15000 } },
    ],
  ],
  [
    'the first quote of a process that knows nothing of the stream cannot be read',
    787739,
    [
      { atMs: 396, kind: 'disk-slow', venue: 'binance-usdm', args: { ms: 1922 } },
      { atMs: 9373, kind: 'power-lost', args: { ms: 15000 } },
      { atMs: 21808, kind: 'frame-mistyped', venue: 'binance-usdm', symbol: 'BTCUSDT', channel: 'quote' },
    ],
  ],
]

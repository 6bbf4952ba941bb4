/** Plans that once broke a promise, as far as they could be shrunk. Each comes from a seed of the search. */

import type { PlannedFault } from '../../src/check/plan.ts'

export const FOUND: readonly (readonly [what: string, seed: number, plan: readonly PlannedFault[]])[] = [
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
    'the stream of a book dies before its rate is known',
    810557,
    [{ atMs: 7597, kind: 'stream-dead', venue: 'deribit', symbol: 'BTC-PERPETUAL', channel: 'book' }],
  ],
  [
    'a ban before the first snapshot, which the disk does not take, and a loss of power',
    820951,
    [
      { atMs: 4510, kind: 'rest-banned', venue: 'binance', symbol: 'DOTUSDT', args: { seconds: 5 } },
      { atMs: 8141, kind: 'sync-fails', args: { ms: 14597 } },
      { atMs: 13433, kind: 'power-lost', args: { ms: 15000 } },
    ],
  ],
  [
    'after a maintenance the second link carries what the first still waits to ask for',
    820813,
    [
      { atMs: 16096, kind: 'maintenance', venue: 'deribit', args: { seconds: 16, close: false } },
      { atMs: 38245, kind: 'all-sockets-reset' },
    ],
  ],
  [
    'the stream of a book dies soon after it was asked for anew, and its rate is unknown',
    823296,
    [
      { atMs: 2288, kind: 'frame-lost', venue: 'deribit', symbol: 'ETH-PERPETUAL', channel: 'book' },
      { atMs: 7064, kind: 'stream-dead', venue: 'deribit', symbol: 'ETH-PERPETUAL', channel: 'book' },
    ],
  ],
  [
    'trades are numbered anew behind a process that the disk never heard of',
    792474,
    [
      { atMs: 8452, kind: 'disk-full', args: { ms: 10497 } },
      { atMs: 8824, kind: 'socket-reset', venue: 'deribit', args: { nth: 5 } },
      { atMs: 18857, kind: 'rest-slow', venue: 'okx', symbol: 'DOT-USDT', args: { ms: 4380, count: 3 } },
      { atMs: 23755, kind: 'process-killed', args: { ms: 10 } },
      { atMs: 31897, kind: 'trades-renumbered', venue: 'okx', symbol: 'ETH-USDT-SWAP', args: { back: 54 } },
    ],
  ],
  [
    'the clock is put forward behind the last trades of a dead stream, and the run ends',
    842494,
    [
      { atMs: 4810, kind: 'market-halted', venue: 'okx', symbol: 'BTC-USDT', args: { ms: 6943 } },
      { atMs: 6889, kind: 'subscription-silent', venue: 'okx', symbol: 'BTC-USDT', args: { ms: 5970 } },
      { atMs: 35458, kind: 'wall-clock-jumps', args: { ms: 30000 } },
    ],
  ],
  [
    'the stream of a book dies while its market is halted, and its quote speaks rarely',
    845804,
    [
      { atMs: 7346, kind: 'rest-failing-quiet', venue: 'binance', symbol: 'ETHUSDT', args: { count: 3 } },
      { atMs: 10450, kind: 'subscription-silent', venue: 'binance', symbol: 'ETHUSDT', args: { ms: 14109 } },
    ],
  ],
]

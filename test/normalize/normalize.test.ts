import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { build, captures, normalize } from './command.ts'
import {
  answer,
  line,
  okxBook,
  SPOT_DEPTH_URL,
  SPOT_INFO_URL,
  START_MS,
  spotDepth,
  spotInfo,
  spotSnapshot,
  spotTrade,
} from './messages.ts'

const files = captures()
beforeAll(build, 120_000)
afterAll(files.remove)

const ids = (run: ReturnType<typeof normalize>): unknown[] => run.rows.map((row) => row.trade_id)
const kinds = (run: ReturnType<typeof normalize>): unknown[] =>
  run.rows.map((row) => (row.type === 'book_state' ? `${row.state} ${row.reason}` : row.type))

describe('input', () => {
  const lines = [line('binance', spotTrade(1)), line('binance', spotTrade(2))]
  const plain = `${lines.join('\n')}\n`

  test('from a file, from several in order, from standard input, gzipped or not', () => {
    const a = files.write('a.jsonl', lines.slice(0, 1))
    const b = files.write('b.jsonl.gz', gzipSync(`${lines[1]}\n`))
    const misnamed = files.write('gzip-by-content.jsonl', gzipSync(plain))
    for (const run of [
      normalize([a, b]),
      normalize([misnamed]),
      normalize([], plain),
      normalize(['-'], gzipSync(plain)),
      normalize([a, '-'], `${lines[1]}\n`),
    ]) {
      expect(ids(run)).toEqual(['1', '2'])
      expect([run.status, run.errors]).toEqual([0, 'frames 2, events 2, unknown 0, malformed 0\n'])
    }
  })

  test('the whole event, as specified', () => {
    const { rows } = normalize([], plain)
    expect(rows[0]).toEqual({
      type: 'trade',
      exchange: 'binance',
      venue: 'binance',
      market: 'spot',
      symbol: 'BTCUSDT',
      exchange_time_us: START_MS * 1000,
      receive_time_us: START_MS * 1000,
      id: 'binance:trade:BTCUSDT:0:1',
      trade_id: '1',
      price: '16500.10',
      quantity: '0.00100000',
      side: 'sell',
      source: 'stream',
    })
  })

  test('without a newline at the end, with Windows line ends, with empty lines, empty', () => {
    expect(ids(normalize([], lines.join('\n')))).toEqual(['1', '2'])
    expect(ids(normalize([], `${lines.join('\r\n')}\r\n`))).toEqual(['1', '2'])
    expect(ids(normalize([], `\n${lines.join('\n\n')}\n\n`))).toEqual(['1', '2'])
    const nothing = normalize([], '')
    expect([nothing.rows, nothing.status]).toEqual([[], 0])
    expect(normalize([files.write('empty.jsonl', Buffer.alloc(0))]).status).toBe(0)
  })

  test('a long gzipped file, many lines at once', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => line('binance', spotTrade(i)))
    const { rows } = normalize([files.write('many.jsonl.gz', gzipSync(`${many.join('\n')}\n`))])
    expect(rows.length).toBe(20_000)
    expect(rows.at(-1)?.trade_id).toBe('19999')
  })

  test('receive times in ms, with or without decimals, in µs, as digits; anything else is no time', () => {
    const times = [
      [START_MS, START_MS * 1000],
      [START_MS + 0.123, START_MS * 1000 + 123],
      [START_MS * 1000 + 7, START_MS * 1000 + 7],
      [String(START_MS), START_MS * 1000],
      [null, undefined],
      ['yesterday', undefined],
      [1e300, undefined],
      [{}, undefined],
    ]
    const { rows, status } = normalize([], times.map(([ts], i) => line('binance', spotTrade(i), ts)).join('\n'))
    expect(rows.map((row) => row.receive_time_us)).toEqual(times.map(([, expected]) => expected))
    expect(rows[4]).not.toHaveProperty('receive_time_us')
    expect(status).toBe(0)
  })

  test('keys in any order, with others among them, with spaces', () => {
    const trade = JSON.stringify(spotTrade(1))
    const lines = [
      `{"msg":${trade},"venue":"binance","ts":${START_MS}}`,
      `{"venue":"binance","msg":${trade},"ts":${START_MS}}`,
      `{"ts":${START_MS},"venue":"binance","msg":${trade},"connection":1}`,
      `{"ts":${START_MS},"note":"\\"msg\\":","reconstructed":true,"venue":"binance","msg":${trade}}`,
      `{"ts":${START_MS},"note":{"msg":1},"venue":"binance","msg":${trade}}`,
      `  { "ts" : ${START_MS} , "venue" : "binance" , "msg" : ${trade} }  `,
      `{"ts":${START_MS},"venue":"binance","msg": ${trade} }`,
    ]
    const { rows, errors } = normalize(['--frame'], lines.join('\n'))
    expect(errors).toContain('malformed 0')
    expect(rows.map((row) => [row.frame, row.trade_id, row.receive_time_us])).toEqual(
      lines.map((_, i) => [i, '1', START_MS * 1000]),
    )
  })

  test('what the recorder sent is skipped, wherever it says so', () => {
    const sent = { method: 'SUBSCRIBE', params: ['btcusdt@trade'], id: 1 }
    const input = [
      `{"ts":1,"venue":"binance","dir":"sent","msg":${JSON.stringify(sent)}}`,
      `{"ts":1,"venue":"binance","msg":${JSON.stringify(sent)},"dir":"sent"}`,
      `{"dir":"sent","ts":1,"venue":"okx","msg":"ping"}`,
      `{"dir":"sent","text":"ping"}`,
    ]
    const { rows, errors, status } = normalize(['--strict'], input.join('\n'))
    expect([rows, errors, status]).toEqual([[], 'frames 0, events 0, unknown 0, malformed 0\n', 0])
  })

  test('acks, pongs and heartbeats are no data and no problem', () => {
    const input = [
      line('binance', { result: null, id: 1 }),
      line('okx', '"pong"'),
      line('okx', { event: 'subscribe', arg: { channel: 'books', instId: 'BTC-USDT' } }),
      line('deribit', { jsonrpc: '2.0', method: 'heartbeat', params: { type: 'test_request' } }),
    ]
    const { errors, status } = normalize(['--strict'], input.join('\n'))
    expect([errors, status]).toEqual(['frames 4, events 0, unknown 0, malformed 0\n', 0])
  })

  test('digits are kept as they came', () => {
    const text =
      '{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":9007199254740991,"p":"0016500.1000000000000000000001","q":"1","T":1672515782136,"m":false}'
    for (const row of [
      normalize([], line('binance', text)).rows[0],
      normalize([], `{"msg":${text},"venue":"binance"}`).rows[0],
    ]) {
      expect(row).toMatchObject({ trade_id: '9007199254740991', price: '0016500.1000000000000000000001', side: 'buy' })
    }
  })
})

describe('problems', () => {
  const input = [
    line('binance', spotTrade(1)),
    'no json',
    '[]',
    '5',
    '{"ts":1,"venue":"binance"}',
    '{"ts":1,"venue":"binance","msg":{"e":"trade"',
    line('coinbase', spotTrade(2)),
    line('binance', { stream: 'btcusdt@trade', data: { e: 'trade', s: 'BTCUSDT' } }),
    line('binance', { e: 'kline', s: 'BTCUSDT' }),
    line('binance', { e: 'kline', s: 'BTCUSDT' }),
    line('binance', spotTrade(3)),
  ].join('\n')

  test('are counted and told, and do not stop the rest', () => {
    const run = normalize([], input)
    expect(ids(run)).toEqual(['1', '3'])
    expect(run.status).toBe(0)
    expect(run.errors.split('\n')).toEqual([
      'frame 1: line: expected an object with ts, venue and msg',
      expect.stringMatching(/^frame 2: line: expected/),
      'frame 3: line: expected an object with ts, venue and msg',
      'frame 4: line: expected JSON with a "msg"',
      expect.stringMatching(/^frame 5: line: expected/),
      'frame 6: venue: expected one of binance, binance-usdm, okx, deribit, received coinbase',
      'frame 7: T: expected a time since the epoch, received nothing',
      'frames 5, events 2, unknown 2 (kline 2), malformed 7',
      '',
    ])
  })

  test('make --strict end with 65, each kind on its own', () => {
    const good = line('binance', spotTrade(1))
    expect(normalize(['--strict'], good).status).toBe(0)
    for (const bad of [
      'no json',
      line('coinbase', {}),
      line('binance', { e: 'trade' }),
      line('binance', { e: 'kline' }),
    ]) {
      expect(normalize(['--strict'], `${good}\n${bad}`).status, bad).toBe(65)
    }
  })

  test('a file that is missing, or a folder: said by name, 64', () => {
    const good = files.write('good.jsonl', [line('binance', spotTrade(1))])
    for (const path of [`${files.folder}/nowhere.jsonl`, files.folder]) {
      for (const args of [
        [good, path],
        [good, '--rest', path],
      ]) {
        const run = normalize(args)
        expect(run.status, args.join(' ')).toBe(64)
        expect(run.errors).toContain(`cannot read ${path}`)
        expect(run.errors).not.toContain('    at ')
      }
    }
  })

  test('gzip that is cut off: every line before the cut is used, the damage is told, 65', () => {
    const trades = Array.from({ length: 4_000 }, (_, i) => line('binance', spotTrade(i + 1)))
    const whole = gzipSync(`${trades.join('\n')}\n`)
    const cut = files.write('cut.jsonl.gz', whole.subarray(0, Math.floor(whole.length * 0.8)))
    const run = normalize([cut])
    expect(run.status).toBe(65)
    expect(run.errors).toContain(`${cut}: unexpected end of file`)
    expect(run.errors).toMatch(/frames \d+, events \d+/)
    expect(run.rows.length).toBeGreaterThan(2_500)
    expect(run.rows.length).toBeLessThan(4_000)
  })

  test.each([['0'], ['2.5'], ['5001']])('--books %s is refused', (levels) => {
    const run = normalize([`--books=${levels}`], '')
    expect([run.status, run.rows]).toEqual([64, []])
    expect(run.errors).toContain('expected a number of levels from 1 to 5000')
  })

  test('an unknown option is refused', () => {
    expect(normalize(['--boks', '5'], '').status).toBe(64)
  })
})

describe('--frame', () => {
  test('adds the number of the input line to events and tops, counting lines without events', () => {
    const input = [
      line('binance', { result: null, id: 1 }),
      '',
      line('binance', spotTrade(1)),
      'no json',
      line('okx', okxBook('snapshot', -1, 5, [['99', '1']])),
    ]
    const { rows } = normalize(['--frame', '--books', '1'], input.join('\n'))
    expect(rows.map((row) => [row.type, row.frame])).toEqual([
      ['trade', 2],
      ['book_snapshot', 4],
      ['book_state', 4],
      ['book_top', 4],
    ])
    expect(normalize([], input.join('\n')).rows[0]).not.toHaveProperty('frame')
  })
})

describe('--books', () => {
  test('writes the best levels after each frame that changed a live book, and only then', () => {
    const input = [
      line('okx', okxBook('update', 3, 4, [['98', '7']])),
      line(
        'okx',
        okxBook('snapshot', -1, 5, [
          ['99', '1'],
          ['98.50', '2'],
          ['97', '3'],
        ]),
      ),
      line('okx', okxBook('update', 5, 5)),
      line(
        'okx',
        okxBook('update', 5, 9, [
          ['99', '0'],
          ['98.5', '2.00'],
        ]),
      ),
      line('okx', okxBook('update', 10, 11, [['99', '9']])),
      line('okx', okxBook('update', 11, 12, [['99', '9']])),
    ]
    const tops = normalize(['--books', '2'], input.join('\n')).rows.filter((row) => row.type === 'book_top')
    expect(tops).toEqual([
      {
        type: 'book_top',
        venue: 'okx',
        symbol: 'BTC-USDT',
        sequence: 5,
        bids: [
          ['99', '1'],
          ['98.50', '2'],
        ],
        asks: [['101', '3']],
      },
      {
        type: 'book_top',
        venue: 'okx',
        symbol: 'BTC-USDT',
        sequence: 9,
        bids: [
          ['98.5', '2.00'],
          ['97', '3'],
        ],
        asks: [['101', '3']],
      },
    ])
  })

  test('a message that cannot be read breaks its book, at its own time', () => {
    const broken = {
      arg: { channel: 'books', instId: 'BTC-USDT' },
      action: 'update',
      data: [{ ts: String(START_MS), bids: 'x', asks: [] }],
    }
    const input = [
      line('okx', okxBook('snapshot', -1, 5, [['99', '1']])),
      line('okx', broken, START_MS + 1),
      line('okx', okxBook('update', 5, 6, [['99', '2']]), START_MS + 2),
    ]
    const run = normalize(['--books', '1'], input.join('\n'))
    expect(kinds(run)).toEqual([
      'book_snapshot',
      'live snapshot',
      'book_top',
      'stale decode_error',
      'syncing decode_error',
    ])
    expect(run.rows.map((row) => row.receive_time_us).filter((at) => at !== undefined)).toEqual(
      [0, 0, 1, 2].map((ms) => (START_MS + ms) * 1000),
    )
  })
})

describe('--rest', () => {
  const deltas = [
    line('binance', spotDepth(90, 95), START_MS),
    line('binance', spotDepth(96, 100, [['99.00', '4']]), START_MS + 100),
    line('binance', spotDepth(101, 105, [['98.00', '0']]), START_MS + 200),
  ]
  const at = (ms: number | null) => (ms === null ? null : START_MS + ms)
  const run = (name: string, answers: readonly string[], input = deltas) =>
    normalize(['--rest', files.write(name, answers), '--books', '5', '--frame'], input.join('\n'))
  const TOP_105 = { sequence: 105, bids: [['99.00', '4']], asks: [['101.00', '3']] }

  test('a snapshot comes when its time comes, and the held deltas join it', () => {
    const result = run('timed.jsonl', [answer('binance', SPOT_DEPTH_URL, spotSnapshot(97), at(150))])
    expect(result.rows.map((row) => [row.frame, kinds({ ...result, rows: [row] })[0]])).toEqual([
      [0, 'syncing subscribed'],
      [2, 'book_snapshot'],
      [2, 'book_delta'],
      [2, 'live snapshot'],
      [2, 'book_delta'],
      [2, 'book_top'],
    ])
    expect(result.rows[1]).toMatchObject({
      id: 'binance:book_snapshot:BTCUSDT:0:97',
      receive_time_us: (START_MS + 150) * 1000,
    })
    expect(result.rows.at(-1)).toMatchObject(TOP_105)
  })

  test('without a time it is there from the beginning; frames without times likewise', () => {
    const untimed = deltas.map((text) => text.replace(/"ts":\d+/, '"ts":null'))
    for (const [name, ms, input] of [
      ['untimed.jsonl', null, deltas],
      ['untimed-both.jsonl', null, untimed],
      ['untimed-frames.jsonl', 150, untimed],
    ] as const) {
      const result = run(name, [answer('binance', SPOT_DEPTH_URL, spotSnapshot(97), at(ms))], input)
      expect(kinds(result), name).toEqual([
        'syncing subscribed',
        'book_snapshot',
        'book_delta',
        'live snapshot',
        'book_top',
        'book_delta',
        'book_top',
      ])
      expect(result.rows.at(-1), name).toMatchObject(TOP_105)
    }
  })

  test('gzipped, and in any order of answers: instruments name the snapshot too', () => {
    const snapshot = answer('binance', SPOT_DEPTH_URL, spotSnapshot(97), at(150))
    const instruments = answer('binance', SPOT_INFO_URL, spotInfo, at(0))
    for (const answers of [
      [snapshot, instruments],
      [instruments, snapshot],
    ]) {
      const path = files.write('answers.jsonl.gz', gzipSync(answers.join('\n')))
      const { rows } = normalize(['--rest', path], deltas.join('\n'))
      expect(rows[0]).toMatchObject({ type: 'instrument', symbol: 'BTCUSDT', instrument: 'BTC-USDT' })
      expect(rows.filter((row) => row.type === 'instrument').length).toBe(1)
      for (const row of rows.slice(1)) expect(row, JSON.stringify(row)).toMatchObject({ instrument: 'BTC-USDT' })
    }
  })

  test('without metadata no event names an instrument', () => {
    for (const row of run('no-metadata.jsonl', [answer('binance', SPOT_DEPTH_URL, spotSnapshot(97))]).rows) {
      expect(row).not.toHaveProperty('instrument')
    }
  })

  test('after a gap the next snapshot of the session repairs the book', () => {
    const answers = [
      answer('binance', SPOT_DEPTH_URL, spotSnapshot(97), at(50)),
      answer('binance', SPOT_DEPTH_URL, spotSnapshot(112), at(350)),
    ]
    const input = [
      ...deltas,
      line('binance', spotDepth(111, 115, [['97.00', '9']]), START_MS + 300),
      line('binance', spotDepth(116, 116), START_MS + 400),
    ]
    const result = run('two.jsonl', answers, input)
    expect(kinds(result).filter((kind) => / /.test(String(kind)))).toEqual([
      'syncing subscribed',
      'live snapshot',
      'stale sequence_gap',
      'live snapshot',
    ])
    expect(result.rows.at(-1)).toMatchObject({
      frame: 4,
      sequence: 116,
      bids: [
        ['99.00', '1'],
        ['98.00', '2'],
        ['97.00', '9'],
      ],
    })
  })

  test('a book that its stream starts itself is never started by an answer', () => {
    const url = 'https://www.okx.com/api/v5/market/books?instId=BTC-USDT&sz=400'
    const body = { code: '0', data: [{ asks: [['1', '1', '0', '1']], bids: [], ts: String(START_MS), seqId: 4 }] }
    const result = run(
      'okx.jsonl',
      [answer('okx', url, body)],
      [line('okx', okxBook('update', 4, 5, [['98', '7']])), line('okx', okxBook('snapshot', -1, 5, [['99', '1']]))],
    )
    expect(kinds(result)).toEqual(['syncing subscribed', 'book_snapshot', 'live snapshot', 'book_top'])
    expect(result.rows.at(-1)).toMatchObject({ bids: [['99', '1']] })
  })

  test('other answers are passed over; malformed ones are told, with file and line', () => {
    const result = run('odd.jsonl', [
      answer('binance', 'https://api.binance.com/api/v3/klines?symbol=BTCUSDT', []),
      '',
      'no json',
      answer('coinbase', SPOT_DEPTH_URL, {}),
      JSON.stringify({ ts: 1, venue: 'binance', url: 'not a url', msg: {} }),
      answer('binance', SPOT_DEPTH_URL, { lastUpdateId: 'x' }),
      answer('binance', SPOT_DEPTH_URL, spotSnapshot(97)),
    ])
    expect(result.status).toBe(0)
    expect(result.rows.at(-1)).toMatchObject(TOP_105)
    const told = result.errors.split('\n').map((text) => text.replace(/^.*odd\.jsonl/, 'odd.jsonl'))
    expect(told.slice(0, 4)).toEqual([
      'odd.jsonl line 2: skipped, expected {"ts","venue","url","msg"}',
      'odd.jsonl line 3: skipped, expected {"ts","venue","url","msg"}',
      'odd.jsonl line 4: skipped, expected {"ts","venue","url","msg"}',
      'odd.jsonl line 5: malformed answer: lastUpdateId: expected an integer below 2^53, received "x"',
    ])
  })
})

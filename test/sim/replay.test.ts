import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type Capture, loadCaptures } from '../../src/sim/capture.ts'
import { simVenues } from '../../src/sim/index.ts'
import { createReplay, type Replay, type ReplayOptions } from '../../src/sim/replay.ts'
import { captureSummary, replayVenues } from '../../src/sim/replay-venues.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { type Client, clock, connect, get, until } from './helpers.ts'

const folder = mkdtempSync(join(tmpdir(), 'replay-'))
afterAll(() => rmSync(folder, { recursive: true }))

let server: Simulator
let replay: Replay
let clients: Client[] = []

afterEach(async () => {
  for (const client of clients) client.socket.terminate()
  clients = []
  await server?.stop()
})

async function start(capture: Capture, options: Partial<ReplayOptions> = {}): Promise<void> {
  replay = createReplay({ clock, capture, speed: 'max', startQuietMs: 60, ...options })
  server = await startSimulator({
    clock,
    venues: replayVenues(replay, simVenues),
    orders: { capture: () => captureSummary(replay.capture) },
    state: () => ({ replay: replay.state() }),
  })
}

async function open(path: string): Promise<Client> {
  const client = await connect(`${server.url.replace('http', 'ws')}${path}`)
  clients.push(client)
  return client
}
const isDone = () => replay.state().done

/** One recorded line; `message` is its text as it was received. */
type Line = [atMs: number, message: string]
const START_MS = 1_700_000_000_000

async function record(
  venue: string,
  lines: readonly Line[],
  rest: readonly [atMs: number, url: string, body: string][] = [],
): Promise<Capture> {
  const file = join(folder, `${venue}-${Math.random()}.ws.jsonl.gz`)
  const ts = (atMs: number) => `${START_MS + atMs}.125`
  writeFileSync(
    file,
    gzipSync(lines.map(([at, message]) => `{"ts":${ts(at)},"venue":"${venue}","msg":${message}}\n`).join('')),
  )
  const answers = rest.map(([at, url, body]) => `{"ts":${ts(at)},"venue":"${venue}","url":"${url}","msg":${body}}\n`)
  writeFileSync(file.replace('.ws.jsonl.gz', '.rest.jsonl'), answers.join(''))
  return loadCaptures([file], [])
}

const depth = (u: number, price: string, quantity: string, stream = 'abusdt@depth@0ms') =>
  `{"stream":"${stream}","data":{"e":"depthUpdate","E":1,"s":"ABUSDT","U":${u},"u":${u},"b":[["${price}","${quantity}"]],"a":[]}}`
const trade = (id: number, kind = 'trade') =>
  `{"stream":"abusdt@${kind}","data":{"e":"${kind}","s":"ABUSDT","${kind === 'trade' ? 't' : 'a'}":${id},"p":"1.10","q":"2"}}`

describe('Binance', () => {
  test('frames go out byte for byte, once and in order, to who subscribed; the socket stays open', async () => {
    const odd = '{"stream": "abusdt@trade",  "data": {"e":"trade", "s":"ABUSDT","t":7,"p":"1.100","q":"1e-5"} }'
    const raw = '{"u":5,"s":"ABUSDT","b":"1","B":"2","a":"3","A":"4"}'
    const capture = await record('binance', [
      [0, trade(1)],
      [1, depth(10, '1.0', '1')],
      [2, odd],
      [3, '{"result":null,"id":1}'],
      [4, raw],
      [5, trade(2)],
      [6, '{"stream":"cdusdt@trade","data":{"e":"trade","s":"CDUSDT","t":1}}'],
    ])
    await start(capture)
    const client = await open('/binance/stream?streams=abusdt@trade/abusdt@bookTicker/zzusdt@trade')
    await until('the end', isDone)
    await until('all frames', () => client.frames.length >= 4)
    expect(client.frames).toEqual([trade(1), odd, raw, trade(2)])
    const { topics, ...state } = replay.state()
    expect(state).toEqual({ phase: 'done', done: true, position_ms: 6, frames: 6, delivered: 4, not_delivered: 2 })
    expect(topics.map(({ name, recorded, delivered }) => [name, recorded, delivered])).toEqual([
      ['abusdt@trade', 3, 3],
      ['abusdt@depth@0ms', 1, 0],
      ['abusdt@bookTicker', 1, 1],
      ['cdusdt@trade', 1, 0],
    ])
    expect((await get(`${server.url}/control/capture`)).body).toEqual(captureSummary(capture))
    expect((await get(`${server.url}/control/state`)).body).toMatchObject({ replay: { done: true, delivered: 4 } })
    client.send({ method: 'LIST_SUBSCRIPTIONS', id: 9 })
    await until('an answer after the end', () => client.frames.length === 5)
    expect(server.violations()).toEqual([])
  })

  test.each([
    ['abusdt@aggTrade', [trade(1), trade(2)]],
    ['abusdt@trade', [trade(1), trade(2)]],
    ['abusdt@depth@100ms', [depth(1, '1', '1')]],
    ['abusdt@depth', [depth(1, '1', '1')]],
    ['abusdt@depth20', []],
    ['abusdt@ticker', []],
  ])('%s gets the recorded variant of its kind', async (name, frames) => {
    await start(
      await record('binance', [
        [0, trade(1)],
        [1, depth(1, '1', '1')],
        [2, trade(2)],
      ]),
    )
    const client = await open('/binance/ws')
    client.send({ method: 'SUBSCRIBE', params: [name], id: 1 })
    await until('the end', isDone)
    await until('all frames', () => client.frames.length > frames.length)
    expect(client.frames).toEqual(['{"result":null,"id":1}', ...frames])
  })

  test('the exact stream is preferred where both variants were recorded', async () => {
    await start(
      await record('binance', [
        [0, trade(1)],
        [1, trade(9, 'aggTrade')],
        [2, trade(2)],
      ]),
    )
    const [single, aggregate] = await Promise.all([
      open('/binance/ws/abusdt@trade'),
      open('/binance/ws/abusdt@aggTrade'),
    ])
    await until('the end', isDone)
    await until('all frames', () => single.frames.length === 2 && aggregate.frames.length === 1)
    expect(single.frames).toEqual([trade(1), trade(2)])
    expect(aggregate.frames).toEqual([trade(9, 'aggTrade')])
  })

  test('it starts when subscriptions have been quiet, and keeps the recorded pace', async () => {
    await start(
      await record('binance', [
        [0, trade(1)],
        [600, trade(2)],
      ]),
      { speed: 2, startQuietMs: 200 },
    )
    const begin = performance.now()
    const client = await open('/binance/ws/abusdt@trade')
    await until('the first frame', () => client.frames.length === 1)
    const first = performance.now()
    await until('the second frame', () => client.frames.length === 2)
    expect(first - begin).toBeGreaterThan(190)
    expect(performance.now() - first).toBeGreaterThan(270)
    expect(performance.now() - first).toBeLessThan(600)
  })

  test('a snapshot is answered when its time has come, later ones from the book that was played', async () => {
    const url = 'https://www.binance.com/api/v1/depth?symbol=ABUSDT&limit=1000'
    const snapshot = '{"lastUpdateId":11,"bids":[["2.0","5"],["1.0","5"]],"asks":[["3.0","5"]]}'
    const frames: Line[] = [
      [0, depth(10, '0.5', '9')],
      [100, depth(12, '1.5', '4')],
      [400, depth(13, '2.0', '0.0')],
    ]
    await start(await record('binance', frames, [[300, url, snapshot]]), { speed: 1 })
    const rest = `${server.url}/binance/api/v3/depth?symbol=ABUSDT&limit=5000`
    const early = get(rest)
    const client = await open('/binance/ws/abusdt@depth@100ms')
    const answer = await early
    expect(answer.text).toBe(snapshot)
    expect(client.frames).toHaveLength(2)
    await until('the end', isDone)
    const later = {
      lastUpdateId: 13,
      bids: [
        ['1.5', '4'],
        ['1.0', '5'],
      ],
      asks: [['3.0', '5']],
    }
    expect((await get(rest)).body).toEqual(later)
    expect((await get(rest.replace('5000', '1'))).body).toEqual({ ...later, bids: [['1.5', '4']] })
  })

  test('a loop begins again, with the recorded snapshots', async () => {
    const url = 'https://www.binance.com/api/v1/depth?symbol=ABUSDT&limit=1000'
    const snapshot = '{"lastUpdateId":1,"bids":[["1","1"]],"asks":[]}'
    const capture = await record('binance', [[0, depth(2, '2', '2')]], [[0, url, snapshot]])
    await start(capture, { isLoop: true })
    const client = await open('/binance/ws/abusdt@depth')
    const ask = async () => (await get(`${server.url}/binance/api/v3/depth?symbol=ABUSDT`)).text
    expect(await ask()).toBe(snapshot)
    await until('the second round', () => client.frames.length >= 2)
    await until('the recorded snapshot again', async () => (await ask()) === snapshot)
    expect(replay.state().done).toBe(false)
  })

  test('what was not recorded is said so', async () => {
    await start(await record('binance', [[0, trade(1)]]))
    const info = await get(`${server.url}/binance/api/v3/exchangeInfo`)
    expect(info).toMatchObject({ status: 404, body: { code: -5000, msg: 'exchangeInfo was not recorded' } })
    expect((await get(`${server.url}/binance/api/v3/depth?symbol=XX`)).status).toBe(404)
    expect((await get(`${server.url}/binance/api/v3/ping`)).text).toBe('{}')
    await expect(open('/okx/ws/v5/public')).rejects.toThrow('404')
  })

  test('max waits for a client that does not read', async () => {
    const padding = 'x'.repeat(1000)
    const lines = Array.from({ length: 30_000 }, (_, i): Line => [i, trade(i).replace('"p"', `"pad":"${padding}","p"`)])
    await start(await record('binance', lines))
    const client = await open('/binance/ws')
    client.send({ method: 'SUBSCRIBE', params: ['abusdt@trade'], id: 1 })
    await until('the ack', () => client.frames.length > 0)
    client.socket.pause()
    await until('a standstill', async () => {
      const before = replay.playedCount()
      await new Promise((resolve) => setTimeout(resolve, 100))
      return before > 0 && before === replay.playedCount()
    })
    expect(replay.state().done).toBe(false)
    expect(server.connections()[0]?.bufferedBytes()).toBeLessThan(1024 * 1024)
    client.socket.resume()
    await until('the end', isDone, 15_000)
    await until('all frames', () => client.frames.length === 30_001, 15_000)
    expect(client.frames.at(-1)).toBe(lines.at(-1)?.[1])
  })
})

describe('USD-M', () => {
  const lines: Line[] = [
    [0, trade(1)],
    [1, depth(1, '1', '1')],
  ]
  test.each([
    ['/public', 'abusdt@depth@100ms', 1],
    ['/market', 'abusdt@depth@100ms', 0],
    ['/public', 'abusdt@trade', 1],
    ['/market', 'abusdt@aggTrade', 1],
    ['', 'abusdt@aggTrade', 0],
  ])('%s/stream with %s: %i frames', async (path, name, count) => {
    await start(await record('binance-usdm', lines))
    const client = await open(`/binance-usdm${path}/stream?streams=${name}`)
    if (count === 0) {
      // Nobody is subscribed to anything, so the replay does not begin: another connection starts it.
      const other = await open('/binance-usdm/public/stream?streams=abusdt@trade/abusdt@depth')
      await until('the end', isDone)
      await until('frames elsewhere', () => other.frames.length === 2)
    }
    await until('the end', isDone)
    await until('the frames', () => client.frames.length === count)
    expect(client.frames).toHaveLength(count)
  })
})

describe('OKX', () => {
  const book =
    '{"arg":{"channel":"books-l2-tbt","instId":"AB-USDT"},"action":"snapshot","data":[{"asks":[],"bids":[],"seqId":1}]}'
  const trades = '{"arg":{"channel":"trades","instId":"AB-USDT"},"data":[{"tradeId":"1"}]}'

  test('one ack for each argument, then the recorded variant; pings are answered', async () => {
    await start(
      await record('okx', [
        [0, '{"event":"subscribe","arg":{"channel":"trades","instId":"AB-USDT"}}'],
        [1, book],
        [2, trades],
      ]),
    )
    const client = await open('/okx/ws/v5/public')
    client.send({
      id: '7',
      op: 'subscribe',
      args: [
        { channel: 'books', instId: 'AB-USDT' },
        { channel: 'trades', instId: 'AB-USDT' },
      ],
    })
    client.send('ping')
    await until('everything', () => client.frames.length === 5)
    expect(client.frames.slice(0, 2).map((frame) => JSON.parse(frame))).toEqual([
      { id: '7', event: 'subscribe', arg: { channel: 'books', instId: 'AB-USDT' }, connId: expect.any(String) },
      { id: '7', event: 'subscribe', arg: { channel: 'trades', instId: 'AB-USDT' }, connId: expect.any(String) },
    ])
    expect(client.frames.slice(2)).toEqual(['pong', book, trades])
    expect(replay.capture.controlFrames).toBe(1)
  })

  test('instruments by type and family, whatever the family was called', async () => {
    const base = 'https://www.okx.com/api/v5/public/instruments?instType='
    const answer = (id: string) => `{"code":"0","data":[ {"instId":"${id}", "lotSz":"1.0"}],"msg":""}`
    const urls: [number, string, string][] = [
      [-5, `${base}SPOT`, answer('AB-USDT')],
      [-4, `${base}OPTION&uly=AB-USD`, answer('AB-USD-1-C')],
      [-3, `${base}OPTION&uly=CD-USD`, answer('CD-USD-1-C')],
    ]
    await start(await record('okx', [[0, trades]], urls))
    const rest = async (query: string) => (await get(`${server.url}/okx/api/v5/public/instruments?${query}`)).text
    expect(await rest('instType=SPOT')).toBe(answer('AB-USDT'))
    expect(await rest('instType=OPTION&instFamily=CD-USD')).toBe(answer('CD-USD-1-C'))
    expect(await rest('instType=OPTION')).toBe(
      '{"code":"0","data":[{"instId":"AB-USD-1-C", "lotSz":"1.0"},{"instId":"CD-USD-1-C", "lotSz":"1.0"}],"msg":""}',
    )
    expect(JSON.parse(await rest('instType=SWAP'))).toEqual({
      code: '51000',
      msg: 'instruments was not recorded',
      data: [],
    })
  })
})

describe('Deribit', () => {
  const book = (id: number) =>
    `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.AB-PERPETUAL.raw","data":{"type":"change","change_id":${id},"bids":[["new",1.50,2.0]]}}}`

  test('the result lists the channels, then come the recorded variants', async () => {
    await start(
      await record('deribit', [
        [0, book(1)],
        [1, book(2)],
      ]),
    )
    const client = await open('/deribit/ws/api/v2')
    client.send({ jsonrpc: '2.0', id: 1, method: 'public/set_heartbeat', params: { interval: 30 } })
    client.send({
      jsonrpc: '2.0',
      id: 2,
      method: 'public/subscribe',
      params: { channels: ['book.AB-PERPETUAL.100ms', 'ticker.AB-PERPETUAL.100ms'] },
    })
    client.send({ jsonrpc: '2.0', id: 3, method: 'public/nonsense', params: {} })
    await until('everything', () => client.frames.length === 5)
    expect(client.json()[0]).toMatchObject({ id: 1, result: 'ok', usIn: expect.any(Number) })
    expect(client.json()[1]).toMatchObject({ id: 2, result: ['book.AB-PERPETUAL.100ms', 'ticker.AB-PERPETUAL.100ms'] })
    expect(client.json()[2]).toMatchObject({ id: 3, error: { code: -32601 } })
    expect(client.frames.slice(3)).toEqual([book(1), book(2)])
  })

  test('instruments of all currencies are the recorded ones together', async () => {
    const url = (currency: string) =>
      `https://www.deribit.com/api/v2/public/get_instruments?currency=${currency}&expired=false`
    const answer = (name: string) =>
      `{"jsonrpc":"2.0","result":[{"instrument_name":"${name}","contract_size":1.0}],"usIn":1}`
    const rest: [number, string, string][] = [
      [-2, url('BTC'), answer('A')],
      [-1, url('ETH'), answer('B]"')],
    ]
    await start(
      await record(
        'deribit',
        [[0, book(1)]],
        rest.map(([at, at_, body]) => [at, at_, body.replace(']"', ']')]),
      ),
    )
    const all = await get(`${server.url}/deribit/api/v2/public/get_instruments?currency=any&expired=false`)
    expect(all.text).toBe(
      '{"jsonrpc":"2.0","result":[{"instrument_name":"A","contract_size":1.0},{"instrument_name":"B]","contract_size":1.0}],"usIn":1}',
    )
    expect((await get(`${server.url}/deribit/api/v2/public/get_instruments?currency=SOL`)).status).toBe(404)
  })
})

describe('recordings', () => {
  test('without receive times the venue’s own times pace them', async () => {
    const file = join(folder, 'no-times.ws.jsonl')
    const frame = (at: number) =>
      `{"e": "depthUpdate", "E": ${START_MS + at}, "s": "ABUSDT", "U": 1, "u": 1, "b": [], "a": []}`
    writeFileSync(file, [0, 100].map((at) => `{"ts":null,"venue":"binance-usdm","msg":${frame(at)}}\n`).join(''))
    const { frames } = await loadCaptures([file], [])
    expect(frames.map(({ atMs }) => atMs)).toEqual([0, 100])
    expect(frames.map(({ text }) => text)).toEqual([frame(0), frame(100)])
    expect(frames[0]?.topic).toEqual({ kind: 'book', symbol: 'ABUSDT', name: 'abusdt@depth' })
  })

  test('a broken line is named', async () => {
    const file = join(folder, 'broken.ws.jsonl')
    writeFileSync(file, '{"ts":1,"venue":"binance","msg":{}}\nnonsense\n')
    await expect(loadCaptures([file], [])).rejects.toThrow(`${file}:2: expected`)
    writeFileSync(file, '{"ts":1,"venue":"kraken","msg":{}}\n')
    await expect(loadCaptures([file], [])).rejects.toThrow('expected one of binance, binance-usdm, okx, deribit')
  })
})

import { beforeEach, describe, expect, test } from 'vitest'
import { Bans } from '../../src/feed/bans.ts'
import { RestClient, type RestError, type RestOutcome } from '../../src/feed/rest-client.ts'
import type { Files } from '../../src/platform/platform.ts'
import { findVenue } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { createWorld, jsonAnswer, settle, type World } from '../helpers/world.ts'

const binance = findVenue('binance') as Venue
const BAN_FILE = 'state/bans.json'
const depth = { lastUpdateId: 7, bids: [['1.0', '2']], asks: [['1.1', '3']] }

let world: World
let outcomes: RestOutcome[]

beforeEach(() => {
  world = createWorld()
  outcomes = []
  world.answer = () => jsonAnswer(depth)
})

async function client(urls: readonly string[] = ['https://a.example'], venue = binance): Promise<RestClient> {
  const bans = new Bans(BAN_FILE, world)
  await bans.load()
  return new RestClient({
    venue,
    urls,
    platform: world,
    bans,
    instruments: new Map(),
    onOutcome: (outcome) => void outcomes.push(outcome),
  })
}

const snapshot = (symbol = 'BTCUSDT') => binance.rest.snapshot(symbol)
/** The kind of the error that a request ends with. */
const kindOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: RestError) => error.kind,
  )

describe('budget', () => {
  test('200 snapshots asked for together never pass 80 % of the weight in any minute, and all are answered', async () => {
    const rest = await client()
    const all = Promise.all(Array.from({ length: 200 }, (_, i) => rest.get(snapshot(`S${i}USDT`))))
    await world.clock.advance(200_000)
    expect(await all).toHaveLength(200)
    const weight = snapshot().weight
    for (const { atMs } of world.requests) {
      const inMinute = world.requests.filter((request) => request.atMs > atMs - 60_000 && request.atMs <= atMs).length
      expect(inMinute * weight).toBeLessThanOrEqual(0.8 * 6000)
    }
    expect(world.requests).toHaveLength(200)
  })

  test('weight that others used on our address counts: above 80 % of the header nothing is sent until the next minute', async () => {
    const rest = await client()
    world.answer = () => jsonAnswer(depth, 200, { 'x-mbx-used-weight-1m': '4790' })
    await rest.get(snapshot())
    expect([...rest.usage()]).toEqual([['weight', 4790 / 6000]])
    void rest.get(snapshot())
    await world.clock.advance(59_000)
    expect(world.requests).toHaveLength(1)
    await world.clock.advance(2_000)
    expect(world.requests).toHaveLength(2)
  })

  test('whether a new minute has begun is found out by one request alone', async () => {
    const rest = await client()
    world.answer = () => jsonAnswer(depth, 200, { 'x-mbx-used-weight-1m': '4790' })
    await rest.get(snapshot())
    await world.clock.advance(61_000)
    let answer = () => {}
    const used = { weight: '4790' }
    world.answer = () =>
      new Promise((resolve) => {
        answer = () => resolve(jsonAnswer(depth, 200, { 'x-mbx-used-weight-1m': used.weight }))
      })
    for (let i = 0; i < 3; i++) void rest.get(snapshot()).catch(() => {})
    expect(world.requests).toHaveLength(2)
    answer()
    await world.clock.advance(59_000)
    expect(world.requests).toHaveLength(2)
    used.weight = '50'
    await world.clock.advance(2_000)
    expect(world.requests).toHaveLength(3)
    answer()
    await world.clock.advance(1)
    expect(world.requests).toHaveLength(4)
  })

  test('the minute is the venue’s: what its clock says in an answer counts, not ours', async () => {
    const rest = await client()
    const date = new Date(world.clock.nowUs() / 1000 - 5_000).toUTCString()
    world.answer = () => jsonAnswer(depth, 200, { 'x-mbx-used-weight-1m': '4790', date })
    await rest.get(snapshot())
    void rest.get(snapshot())
    const restMs = 60_000 - ((world.clock.nowUs() / 1000 - 5_000) % 60_000)
    await world.clock.advance(restMs - 1_000)
    expect(world.requests).toHaveLength(1)
    await world.clock.advance(2_000)
    expect(world.requests).toHaveLength(2)
  })
})

test('what is left of a budget: not used, not under way, not waited for by another', async () => {
  const rest = await client()
  expect([rest.left('weight'), rest.left('nonsense')]).toEqual([4_800, 0])
  await rest.get(snapshot())
  world.answer = () => new Promise(() => {})
  for (let i = 0; i < 20; i++) void rest.get(snapshot(`S${i}USDT`)).catch(() => {})
  await world.clock.advance(100)
  expect([rest.waiting, rest.left('weight')]).toEqual([12, 4_800 - 21 * 50])
  rest.stop()
  const other = await client()
  world.answer = () => jsonAnswer(depth, 200, { 'x-mbx-used-weight-1m': '4790' })
  await other.get(snapshot())
  expect(other.left('weight'), 'others have used it').toBe(10)
  world.answer = () => jsonAnswer(depth, 200, { 'x-mbx-used-weight-1m': '5990' })
  await world.clock.advance(61_000)
  await other.get(snapshot())
  expect(other.left('weight'), 'more than our share').toBe(0)
})

test('weight under way counts too: requests asked for together do not pass 80 % of what others left', async () => {
  const rest = await client()
  world.answer = () =>
    jsonAnswer(depth, 200, { 'x-mbx-used-weight-1m': String(4_650 + snapshot().weight * world.requests.length) })
  await rest.get(snapshot())
  for (let i = 0; i < 20; i++) void rest.get(snapshot(`S${i}USDT`))
  await world.clock.advance(1_000)
  expect(world.requests.length - 1).toBeLessThanOrEqual(2)
})

test('an answer that overtook a later one does not lower what is known to be used', async () => {
  const rest = await client()
  await rest.get(snapshot())
  const answers: (() => void)[] = []
  world.answer = () =>
    new Promise((resolve) => {
      const used = answers.length === 0 ? '4000' : '4790'
      answers.push(() => resolve(jsonAnswer(depth, 200, { 'x-mbx-used-weight-1m': used })))
    })
  const both = [rest.get(snapshot('AUSDT')), rest.get(snapshot('BUSDT'))]
  for (const i of [1, 0]) {
    answers[i]?.()
    await both[i]
  }
  expect([...rest.usage()]).toEqual([['weight', 4790 / 6000]])
})

test('the first request goes alone: its answer tells what an earlier process has used', async () => {
  const rest = await client()
  let answer = () => {}
  world.answer = () =>
    new Promise((resolve) => {
      answer = () => resolve(jsonAnswer(depth, 200, { 'x-mbx-used-weight-1m': '4780' }))
    })
  const all = ['A', 'B', 'C'].map((name) => rest.get(snapshot(`${name}USDT`)))
  await settle()
  expect(world.requests).toHaveLength(1)
  answer()
  await all[0]
  await settle()
  expect(world.requests, 'what is left is too little for another').toHaveLength(1)
  rest.stop()
  await Promise.allSettled(all)
})

test('an answer that does not tell what is used is none: the next request goes alone too', async () => {
  const rest = await client()
  world.answer = () => jsonAnswer({}, 418, { 'retry-after': '1' })
  expect(await kindOf(rest.get(snapshot('AUSDT')))).toBe('banned')
  world.answer = () => new Promise(() => {})
  const all = ['B', 'C'].map((name) => rest.get(snapshot(`${name}USDT`)))
  await world.clock.advance(1_500)
  expect(world.requests).toHaveLength(2)
  rest.stop()
  await Promise.allSettled(all.slice(1))
})

test('few requests are under way at once, so that none uses up its time waiting for a socket', async () => {
  const rest = await client()
  const answers: (() => void)[] = []
  world.answer = () => new Promise((resolve) => void answers.push(() => resolve(jsonAnswer(depth))))
  const all = Promise.all(Array.from({ length: 40 }, (_, i) => rest.get(snapshot(`S${i}USDT`))))
  await settle()
  expect(world.requests.length).toBeLessThanOrEqual(8)
  while (answers.length > 0) {
    answers.shift()?.()
    await settle()
  }
  expect(await all).toHaveLength(40)
})

test('a full budget comes back with the time that passes, also while the wall clock stands', async () => {
  const startUs = world.clock.nowUs()
  const { random, net, http, files, processes } = world
  const platform = { random, net, http, files, processes, clock: { ...world.clock, nowUs: () => startUs } }
  const bans = new Bans(BAN_FILE, world)
  const options = { venue: binance, urls: ['https://a.example'], bans, instruments: new Map(), onOutcome: () => {} }
  const rest = new RestClient({ ...options, platform })
  world.answer = () => jsonAnswer(depth, 200, { 'x-mbx-used-weight-1m': '4790' })
  await rest.get(snapshot())
  void rest.get(snapshot())
  await world.clock.advance(61_000)
  expect(world.requests).toHaveLength(2)
})

test('a full budget holds back its own requests only', async () => {
  const deribit = findVenue('deribit') as Venue
  world.answer = ({ url }) =>
    jsonAnswer({
      jsonrpc: '2.0',
      result: url.includes('get_instruments') ? [] : { change_id: 1, timestamp: 1795392000100, bids: [], asks: [] },
    })
  const rest = await client(['https://a.example'], deribit)
  const lists = Array.from({ length: 6 }, () => rest.get(deribit.rest.instruments([])[0] as never))
  const book = rest.get(deribit.rest.snapshot('BTC-PERPETUAL'))
  await world.clock.advance(10)
  expect((await book).sequence).toBe(1)
  expect(world.requests.filter(({ url }) => url.includes('get_instruments'))).toHaveLength(4)
  await world.clock.advance(60_000)
  await Promise.all(lists)
})

describe('limits that the venue sets', () => {
  test('429: the whole venue pauses for Retry-After', async () => {
    const rest = await client()
    world.answer = () => jsonAnswer({ code: -1003, msg: 'Too many requests' }, 429, { 'retry-after': '7' })
    expect(await kindOf(rest.get(snapshot()))).toBe('rate_limited')
    world.answer = () => jsonAnswer(depth)
    const next = rest.get(snapshot('ETHUSDT'))
    await world.clock.advance(6_900)
    expect(world.requests).toHaveLength(1)
    await world.clock.advance(200)
    expect((await next).sequence).toBe(7)
  })

  test('an absurd Retry-After is clamped: neither a hot loop nor a wait beyond a day', async () => {
    const rest = await client()
    world.answer = () => jsonAnswer({ code: -1003, msg: '' }, 429, { 'retry-after': '99999999999' })
    await kindOf(rest.get(snapshot()))
    world.answer = () => jsonAnswer(depth)
    const next = rest.get(snapshot())
    await world.clock.advance(24 * 3_600_000 - 1_000)
    expect(world.requests).toHaveLength(1)
    await world.clock.advance(2_000)
    await next
  })

  test('418: no request at all until the ban ends, also by a new process', async () => {
    const rest = await client()
    world.answer = () => jsonAnswer({ code: -1003, msg: 'banned' }, 418, { 'retry-after': '300' })
    expect(await kindOf(rest.get(snapshot()))).toBe('banned')
    expect(rest.bannedUntilUs).toBe(world.clock.nowUs() + 300e6)
    world.answer = () => jsonAnswer(depth)
    void kindOf(rest.get(snapshot()))
    await world.clock.advance(100_000)
    rest.stop()

    const restarted = await client()
    expect(restarted.bannedUntilUs).toBeDefined()
    const held = restarted.get(snapshot())
    await world.clock.advance(199_000)
    expect(world.requests).toHaveLength(1)
    await world.clock.advance(2_000)
    expect((await held).sequence).toBe(7)
    expect(restarted.bannedUntilUs).toBeUndefined()
  })

  test('429: the pause that the venue asks for holds for a new process too', async () => {
    const rest = await client()
    world.answer = () => jsonAnswer({ code: -1003, msg: 'slow down' }, 429, { 'retry-after': '20' })
    expect(await kindOf(rest.get(snapshot()))).toBe('rate_limited')
    rest.stop()
    const restarted = await client()
    const asked = world.requests.length
    expect(restarted.bannedUntilUs).toBeUndefined()
    const held = restarted.get(snapshot())
    world.answer = () => jsonAnswer({ lastUpdateId: 1, bids: [], asks: [] })
    await world.clock.advance(19_000)
    expect(world.requests).toHaveLength(asked)
    await world.clock.advance(2_000)
    await held
    expect(world.requests).toHaveLength(asked + 1)
  })

  test('a ban holds for every host of the venue', async () => {
    const rest = await client(['https://a.example', 'https://b.example'])
    world.answer = () => Promise.reject(new Error('connect ECONNREFUSED'))
    expect(await kindOf(rest.get(snapshot()))).toBe('unreachable')
    world.answer = () => jsonAnswer('', 418, { 'retry-after': '60' })
    expect(await kindOf(rest.get(snapshot()))).toBe('banned')
    expect(world.requests.map(({ url }) => new URL(url).host)).toEqual(['a.example', 'b.example'])
    expect(rest.bannedUntilUs).toBeDefined()
  })

  test('a ban of three days is obeyed to its end', async () => {
    const rest = await client()
    const days = 3 * 24 * 3_600
    world.answer = () => jsonAnswer({ code: -1003, msg: 'banned' }, 418, { 'retry-after': String(days) })
    expect(await kindOf(rest.get(snapshot()))).toBe('banned')
    void kindOf(rest.get(snapshot()))
    await world.clock.advance((days - 60) * 1_000)
    expect(world.requests).toHaveLength(1)
    await world.clock.advance(120_000)
    expect(world.requests).toHaveLength(2)
  })

  test('a ban that cannot be written down is a ban all the same', async () => {
    const files = { ...world.files, replace: () => Promise.reject(new Error('EROFS: read-only file system')) }
    const options = { venue: binance, urls: ['https://a.example'], instruments: new Map(), onOutcome: () => {} }
    const rest = new RestClient({
      ...options,
      platform: world,
      bans: new Bans(BAN_FILE, { clock: world.clock, files }),
    })
    world.answer = () => jsonAnswer({ code: -1003, msg: 'banned' }, 418, { 'retry-after': '60' })
    const error = await rest.get(snapshot()).catch((failure: RestError) => failure)
    expect(error).toMatchObject({ kind: 'banned', message: expect.stringContaining('EROFS') })
    expect(rest.bannedUntilUs).toBeDefined()
  })

  test('a ban that the disk refused is written down as soon as it takes it', async () => {
    let isFull = true
    const replace: Files['replace'] = (path, text) =>
      isFull ? Promise.reject(new Error('ENOSPC: no space left')) : world.files.replace(path, text)
    const bans = new Bans(BAN_FILE, { clock: world.clock, files: { ...world.files, replace } })
    await expect(bans.set('binance a.example', 60_000)).rejects.toThrow('ENOSPC')
    await world.clock.advance(5_000)
    expect(world.disk.has(BAN_FILE)).toBe(false)
    isFull = false
    await world.clock.advance(1_000)
    expect(world.disk.get(BAN_FILE)).toContain('binance a.example')
  })

  test('a wall clock that is set forward shortens no ban, not even one of an earlier process', async () => {
    let setForwardUs = 0
    const clock = { ...world.clock, nowUs: () => world.clock.nowUs() + setForwardUs }
    world.disk.set(BAN_FILE, JSON.stringify({ 'binance a.example': clock.nowUs() + 60e6 }))
    const bans = new Bans(BAN_FILE, { clock, files: world.files })
    await bans.load()
    setForwardUs = 3_600e6
    await world.clock.advance(10_000)
    expect(bans.leftMs('binance a.example')).toBe(50_000)
    // The next process goes by the clock as it is now.
    await world.clock.advance(1_000)
    expect(JSON.parse(world.disk.get(BAN_FILE) ?? '')['binance a.example']).toBe(clock.nowUs() + 49e6)
  })

  test('a ban that is longer than any, from a clock that was wrong, is not believed', async () => {
    const tenYears = 10 * 365 * 24 * 3_600 * 1e6
    world.disk.set(BAN_FILE, JSON.stringify({ 'binance a.example': world.clock.nowUs() + tenYears }))
    expect((await client()).bannedUntilUs).toBeUndefined()
  })

  test('a ban list that cannot be opened is told and taken as empty', async () => {
    const bans = new Bans(BAN_FILE, {
      clock: world.clock,
      files: { ...world.files, read: () => Promise.reject(new Error('EACCES')) },
    })
    expect(await bans.load()).toContain('EACCES')
  })

  test('a ban list that cannot be read is told and taken as empty', async () => {
    world.disk.set(BAN_FILE, '{"broken')
    const bans = new Bans(BAN_FILE, world)
    expect(await bans.load()).toContain(BAN_FILE)
    expect(bans.leftMs('x')).toBe(0)
  })
})

test('requests that fail together move on to the next host once', async () => {
  const rest = await client(['https://a.example', 'https://b.example'])
  await rest.get(snapshot())
  world.answer = ({ url }) =>
    url.startsWith('https://b.') ? jsonAnswer(depth) : Promise.reject(new Error('connect ECONNREFUSED'))
  const failed = await Promise.all([kindOf(rest.get(snapshot('AUSDT'))), kindOf(rest.get(snapshot('BUSDT')))])
  expect(failed).toEqual(['unreachable', 'unreachable'])
  expect(await kindOf(rest.get(snapshot()))).toBe('ok')
})

describe('answers', () => {
  test('outcomes are told apart and counted', async () => {
    const rest = await client()
    const ask = async (answer: World['answer']) => {
      world.answer = answer
      const kind = kindOf(rest.get(snapshot()))
      await settle()
      return kind
    }
    expect(await ask(() => jsonAnswer(depth))).toBe('ok')
    expect(rest.isAvailable).toBe(true)
    expect(await ask(() => jsonAnswer({ ...depth, bids: [['x', '1']] }))).toBe('malformed')
    expect(await ask(() => jsonAnswer('<html>'))).toBe('failed')
    expect(await ask(() => jsonAnswer({ code: -1121, msg: 'Invalid symbol.' }, 400))).toBe('unknown_symbol')
    expect(await ask(() => jsonAnswer('', 503))).toBe('failed')
    expect(rest.isAvailable).toBe(false)
    expect(await ask(() => Promise.reject(new Error('getaddrinfo ENOTFOUND')))).toBe('unreachable')
    expect(outcomes).toEqual(['ok', 'malformed', 'failed', 'unknown_symbol', 'failed', 'unreachable'])
  })

  test('stopping rejects what waits', async () => {
    const rest = await client()
    world.answer = () => jsonAnswer('', 418, { 'retry-after': '60' })
    await kindOf(rest.get(snapshot()))
    const waiting = kindOf(rest.get(snapshot()))
    rest.stop()
    expect(await waiting).toBe('failed')
    expect(await kindOf(rest.get(snapshot()))).toBe('failed')
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contiguous } from '../../src/book/sequence.ts'
import { CHANNEL_OF, CHANNELS, type Channel, PROOFS } from '../../src/model/event.ts'
import { exchanges, findVenue, venues } from '../../src/venues/index.ts'
import type { Topic } from '../../src/venues/venue.ts'
import { bytes, fixturesOf, NO_INSTRUMENTS } from './fixtures.ts'
import { counter, everyTopic } from './topics.ts'

fc.configureGlobal({ seed: 20261123 })

describe.each(venues.map((venue) => [venue.id, venue] as const))('%s', (id, venue) => {
  test('is found by its id, under its company', () => {
    expect(findVenue(id)).toBe(venue)
    expect(exchanges).toContain(venue.exchange)
    expect(id === venue.exchange || id.startsWith(`${venue.exchange}-`)).toBe(true)
    expect(venue.defaultSymbols.length).toBeGreaterThan(0)
    expect(new Set(venue.defaultSymbols).size).toBe(venue.defaultSymbols.length)
  })

  test('has hosts that are encrypted, for every endpoint, with options of their own', () => {
    for (const url of venue.restUrls) expect(new URL(url).protocol).toBe('https:')
    const endpoints = Object.values(venue.endpoints)
    for (const url of endpoints.flatMap((endpoint) => endpoint.urls)) expect(new URL(url).protocol).toBe('wss:')
    expect(new Set(endpoints.map((endpoint) => endpoint.option)).size).toBe(endpoints.length)
    for (const { option, urls } of endpoints) {
      expect(option).toMatch(/^websocket_([a-z]+_)?url$/)
      expect(urls.length).toBeGreaterThan(0)
    }
  })

  test.each(CHANNELS)('channel %s has a default name, and each name an endpoint that exists', (channel) => {
    const names = Object.entries(venue.channels[channel].endpoints)
    expect(names.length).toBeGreaterThan(0)
    for (const [name, endpoint] of names) {
      expect(Object.keys(venue.endpoints)).toContain(endpoint)
      const topic = venue.topic(channel, name, venue.defaultSymbols[0] as string)
      expect(topic).toMatchObject({ channel, symbol: venue.defaultSymbols[0], endpoint })
      expect(topic.name.length).toBeGreaterThan(0)
      expect(PROOFS).toContain(topic.proof)
      expect(topic.proof).toBe(venue.channels[channel].proofs[name])
    }
    expect(Object.keys(venue.channels[channel].proofs)).toEqual(names.map(([name]) => name))
    const { min, max } = venue.channels[channel].silenceMs
    expect(min).toBeGreaterThanOrEqual(10_000)
    expect(max).toBeGreaterThanOrEqual(min)
  })

  test('trades are counted, books are proven by the rule that checks them, quotes cannot be', () => {
    const proofs = (channel: Channel) => [...new Set(Object.values(venue.channels[channel].proofs))]
    expect(proofs('trade')).toEqual(['counter'])
    expect(proofs('quote')).toEqual(['none'])
    expect(proofs('book')).toEqual([venue.book.rule === contiguous ? 'range' : 'chained'])
    expect(['cadence', 'none']).toContain(proofs('ticker')[0])
  })

  test('tells the market of a symbol as its events do, and the numbers of its documented trades', () => {
    const events = fixturesOf(id).flatMap(({ frame }) => {
      const decoded = venue.decode(frame, 1, NO_INSTRUMENTS)
      return decoded.kind === 'events' ? decoded.events : []
    })
    for (const { symbol, market } of events) expect(venue.marketOf(symbol), symbol).toBe(market)
    const spans = events.map((event) => (event.type === 'trade' ? venue.tradeSpan(event) : undefined))
    expect(spans.filter((span) => span !== undefined).length).toBeGreaterThan(1)
  })

  test('topics are unique across channels, names and symbols', () => {
    const topics = everyTopic(venue, venue.defaultSymbols)
    expect(new Set(topics.map((topic) => topic.name)).size).toBe(topics.length)
  })

  test('a subscription carries each topic once, within the limits, under an id of its own', () => {
    const { topicsPerRequestMax, sendBytesMax } = venue.socketLimits
    const names = fc.uniqueArray(fc.stringMatching(/^[A-Z0-9]{2,40}$/), { minLength: 1, maxLength: 80 })
    fc.assert(
      fc.property(names, (symbols) => {
        const topics = everyTopic(venue, symbols)
        for (const verb of ['subscribe', 'unsubscribe'] as const) {
          const frames = venue[verb](topics, counter())
          expect(frames.flatMap((frame) => frame.topics)).toEqual(topics)
          expect(new Set(frames.map((frame) => frame.requestId)).size).toBe(frames.length)
          for (const frame of frames) {
            expect(frame.topics.length).toBeLessThanOrEqual(topicsPerRequestMax)
            expect(Buffer.byteLength(frame.text)).toBeLessThanOrEqual(sendBytesMax)
            expect(frame.text).toContain(frame.requestId)
          }
        }
      }),
      { numRuns: 20 },
    )
  })

  test('nothing to subscribe is nothing to send', () => {
    const none: readonly Topic[] = []
    expect(venue.subscribe(none, counter())).toEqual([])
    expect(venue.unsubscribe(none, counter())).toEqual([])
  })

  test('its greeting takes no id that a subscription may have', () => {
    for (const { requestId, topics } of venue.greet()) {
      expect(Number(requestId)).toBeLessThan(100)
      expect(topics).toEqual([])
    }
  })

  test('decodes any bytes without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (frame) => {
        expect(['malformed', 'unknown', 'alive']).toContain(venue.decode(frame, 1, NO_INSTRUMENTS).kind)
      }),
      { numRuns: 3_000 },
    )
  })

  test('decodes any JSON without throwing, and makes no event of it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(venue.decode(bytes(text), 1, NO_INSTRUMENTS).kind).not.toBe('events')
      }),
      { numRuns: 3_000 },
    )
  })

  test('decodes its own messages with any one value replaced by anything', () => {
    const frames = fixturesOf(id).flatMap(({ frame }) => {
      try {
        return [JSON.parse(new TextDecoder().decode(frame))]
      } catch {
        return []
      }
    })
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(
        { toString: null, valueOf: null },
        { toString: 1 },
        [[[[]]]],
        '__proto__',
        'constructor',
        -0,
        1e300,
      ),
    )
    fc.assert(
      fc.property(fc.constantFrom(...frames), fc.nat(), odd, (frame, at, value) => {
        const text = JSON.stringify(replaceNth(frame, at, value))
        expect(venue.decode(bytes(text), 1, NO_INSTRUMENTS).kind).toMatch(/^[a-z]+$/)
      }),
      { numRuns: 5_000 },
    )
  })

  test.each(['[', '{"a":', '{"e":', '{"msg":', '{"error":', '{"arg":', '{"method":'])(
    'survives %s nested deeper than the stack',
    (open) => {
      const close = open === '[' ? ']' : '}'
      const depth = 100_000
      for (const shell of SHELLS) {
        const text = shell.replace('"?"', `${open.repeat(depth)}1${close.repeat(depth)}`)
        expect(venue.decode(bytes(text), 1, NO_INSTRUMENTS).kind).toMatch(/^(malformed|unknown|rejected|ack)$/)
      }
    },
  )

  test('names channel and symbol of what it cannot read', () => {
    const [symbol = ''] = venue.defaultSymbols
    for (const fixture of fixturesOf(id).filter(({ expect: { events } }) => events?.length === 1)) {
      const text = new TextDecoder().decode(fixture.frame)
      const broken = text.replace(/"(T|E|ts|timestamp|U|u)":"?[0-9]+"?/g, '"$1":"never"')
      const decoded = venue.decode(bytes(broken), 1, NO_INSTRUMENTS)
      expect(decoded, fixture.name).toMatchObject({
        kind: 'malformed',
        channel: expect.stringMatching(new RegExp(`^(${CHANNELS.join('|')})$`)),
        symbol: expect.stringMatching(/^[A-Z0-9\p{L}_-]+/u),
      })
    }
    expect(symbol).not.toBe('')
  })

  test('names channel and symbol of broken JSON, if they stand at its beginning', () => {
    const owners = new Set<string>()
    for (const { name, frame } of fixturesOf(id)) {
      const whole = venue.decode(frame, 1, NO_INSTRUMENTS)
      const [event, ...more] = whole.kind === 'events' ? whole.events : []
      const text = new TextDecoder().decode(frame)
      // A frame without the name of its stream does not say early enough whose it is.
      if (event === undefined || more.length > 0 || !/"(stream|channel)"/.test(text)) continue
      const channel = CHANNEL_OF[event.type]
      owners.add(`${channel}`)
      const hostile = `${text.slice(0, -1)}${'"'.repeat(100_000)}`
      for (const broken of [text.slice(0, -1), text.slice(0, Math.min(160, text.length - 1)), hostile, `${text}\xff`]) {
        const decoded = venue.decode(bytes(broken), 1, NO_INSTRUMENTS)
        expect(decoded, name).toMatchObject({ kind: 'malformed', channel, symbol: event.symbol })
      }
      const late = venue.decode(bytes(`{"pad":"${' '.repeat(256)}",${text.slice(1, -1)}`), 1, NO_INSTRUMENTS)
      expect(late, name).toEqual({ kind: 'malformed', reason: expect.any(String) })
    }
    expect([...owners].sort()).toEqual([...CHANNELS].sort())
  })
})

/** Where a value can stand in a message of each kind. */
const SHELLS = [
  '"?"',
  '{"e":"trade","T":1672515782136,"s":"?"}',
  '{"e":"?"}',
  '{"msg":"a","code":"?"}',
  '{"data":{"e":"depthUpdate","T":1672515782136,"s":"BTCUSDT","u":1,"b":"?"},"stream":"?"}',
  '{"event":"error","code":"?","msg":"?"}',
  '{"event":"subscribe","arg":{"channel":"?","instId":"?"}}',
  '{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"ts":"1672515782136","bids":"?"}]}',
  '{"id":5,"error":{"code":"?","message":"?"}}',
  '{"id":5,"result":["?"]}',
  '{"method":"?"}',
  '{"method":"subscription","params":{"channel":"?","data":"?"}}',
  '{"method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{"instrument_name":"?"}}}',
]

/** A copy of `tree` whose nth value, counted through, is `value`. */
function replaceNth(tree: unknown, n: number, value: unknown): unknown {
  const size = JSON.stringify(tree).length
  let left = n % Math.max(1, Math.floor(size / 8))
  const walk = (node: unknown): unknown => {
    if (left-- === 0) return value
    if (Array.isArray(node)) return node.map(walk)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, walk(inner)]))
  }
  return walk(tree)
}

/** What every venue must be able to do, whoever writes it: its table, its frames, its decoding, its REST. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contiguous } from '../../src/book/sequence.ts'
import { CHANNEL_OF, CHANNELS, type Channel, type EventType, PROOFS } from '../../src/model/event.ts'
import { channelNames, type Topic, type Venue } from '../../src/venues/venue.ts'
import { bytes, type Fixture, NO_INSTRUMENTS } from './fixtures.ts'
import { counter, everyTopic } from './topics.ts'
import { fault } from './well-formed.ts'

fc.configureGlobal({ seed: 20261123 })

/** Levels of nesting that no stack takes. */
const NESTED = 8_000

/** `fixtures`: messages as the venue documents them, at least one of each kind. */
export function conforms(venue: Venue, fixtures: readonly Fixture[]): void {
  describe(venue.id, () => {
    hasTable(venue)
    subscribes(venue)
    decodes(venue, fixtures)
    survives(venue, fixtures)
    blames(venue, fixtures)
    asks(venue)
  })
}

const channelsOf = (venue: Venue): readonly Channel[] =>
  CHANNELS.filter((channel) => venue.channels[channel] !== undefined)

/** What leaves the process: absent fields are absent. */
const asWritten = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const textOf = ({ frame }: Fixture): string => new TextDecoder().decode(frame)

function hasTable(venue: Venue): void {
  test('belongs to its company, and has symbols to begin with', () => {
    expect(venue.id === venue.exchange || venue.id.startsWith(`${venue.exchange}-`)).toBe(true)
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

  test('has trades or books', () => {
    expect(channelsOf(venue).filter((channel) => channel === 'trade' || channel === 'book')).not.toEqual([])
  })

  test.each(channelsOf(venue))('channel %s has names, each with an endpoint that exists and a proof', (channel) => {
    const { endpoints = {}, proofs = {}, silenceMs = { min: 0, max: 0 } } = venue.channels[channel] ?? {}
    const symbol = venue.defaultSymbols[0] as string
    expect(channelNames(venue, channel).length).toBeGreaterThan(0)
    for (const [name, endpoint] of Object.entries(endpoints)) {
      expect(Object.keys(venue.endpoints)).toContain(endpoint)
      const topic = venue.topic(channel, name, symbol)
      expect(topic).toMatchObject({ channel, symbol, endpoint, proof: proofs[name] })
      expect(topic.name.length).toBeGreaterThan(0)
      expect(PROOFS).toContain(topic.proof)
    }
    expect(Object.keys(proofs)).toEqual(Object.keys(endpoints))
    expect(silenceMs.min).toBeGreaterThanOrEqual(10_000)
    expect(silenceMs.max).toBeGreaterThanOrEqual(silenceMs.min)
  })

  test('trades are counted, books are proven by the rule that checks them, quotes cannot be', () => {
    const bookProof = venue.book.rule === contiguous ? 'range' : 'chained'
    const possible = { trade: ['counter'], quote: ['none'], book: [bookProof], ticker: ['cadence', 'none'] }
    for (const channel of channelsOf(venue))
      for (const proof of Object.values(venue.channels[channel]?.proofs ?? {}))
        expect(possible[channel], channel).toContain(proof)
  })
}

function subscribes(venue: Venue): void {
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
}

function decodes(venue: Venue, fixtures: readonly Fixture[]): void {
  test.each(fixtures.map((fixture) => [fixture.name, fixture] as const))('decodes %s', (_name, fixture) => {
    const decoded = venue.decode(fixture.frame, fixture.receive_time_us, NO_INSTRUMENTS)
    expect(asWritten(decoded)).toEqual(fixture.expect)
    for (const event of decoded.kind === 'events' ? decoded.events : []) expect(fault(event)).toBeUndefined()
    expect(fixture.source).toMatch(/^https:\/\//)
  })

  test.each(channelsOf(venue))('has a fixture of channel %s', (channel) => {
    const types = fixtures.flatMap(({ expect: { events = [] } }) => events.map((event) => event.type as EventType))
    expect(types.map((type) => CHANNEL_OF[type])).toContain(channel)
  })

  test.each(['ack', 'rejected', 'unknown', 'malformed'])('has a fixture that is %s', (kind) => {
    expect(fixtures.map((fixture) => fixture.expect.kind)).toContain(kind)
  })

  test('says nothing of the receive time where there is none', () => {
    for (const fixture of fixtures) {
      const decoded = venue.decode(fixture.frame, undefined, NO_INSTRUMENTS)
      if (decoded.kind !== 'events') continue
      for (const event of decoded.events) expect(asWritten(event)).not.toHaveProperty('receive_time_us')
    }
  })

  test('ids begin with venue, type and symbol, and do not depend on when or where the frame came', () => {
    for (const fixture of fixtures) {
      const seen = [1, 2].map((at) => {
        const decoded = venue.decode(fixture.frame, at, NO_INSTRUMENTS)
        return decoded.kind === 'events' ? decoded.events : []
      })
      for (const event of seen[0] ?? []) expect(event.id).toContain(`${venue.id}:${event.type}:${event.symbol}:`)
      expect(seen[0]?.map(({ id }) => id)).toEqual(seen[1]?.map(({ id }) => id))
    }
  })

  test('tells the market of a symbol as its events do, and the numbers of its documented trades', () => {
    const events = fixtures.flatMap(({ frame }) => {
      const decoded = venue.decode(frame, 1, NO_INSTRUMENTS)
      return decoded.kind === 'events' ? decoded.events : []
    })
    for (const { symbol, market } of events) expect(venue.marketOf(symbol), symbol).toBe(market)
    const spans = events.map((event) => (event.type === 'trade' ? venue.tradeSpan(event) : undefined))
    expect(spans.filter((span) => span !== undefined).length).toBeGreaterThan(1)
  })
}

function survives(venue: Venue, fixtures: readonly Fixture[]): void {
  const messages = fixtures.flatMap((fixture) => {
    try {
      return [JSON.parse(textOf(fixture)) as unknown]
    } catch {
      return []
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
    const hostile: readonly unknown[] = [
      { toString: null, valueOf: null },
      { toString: 1 },
      [[[[]]]],
      '__proto__',
      'constructor',
      -0,
      1e300,
    ]
    const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(...hostile))
    fc.assert(
      fc.property(fc.constantFrom(...messages), fc.nat(), odd, (message, at, value) => {
        const text = JSON.stringify(replaced(message, at % valueCount(message), value))
        expect(venue.decode(bytes(text), 1, NO_INSTRUMENTS).kind).toMatch(/^[a-z]+$/)
      }),
      { numRuns: 5_000 },
    )
  })

  test.each(['[', '{"a":', '{"e":', '{"msg":', '{"error":'])('survives %s nested deeper than the stack', (open) => {
    const deep = `${open.repeat(NESTED)}1${(open === '[' ? ']' : '}').repeat(NESTED)}`
    expect(() => JSON.stringify(JSON.parse(deep))).toThrow(RangeError)
    const places = new Map(messages.flatMap((message) => shells(message)))
    expect(places.size).toBeGreaterThan(5)
    for (const shell of places.values())
      expect(venue.decode(bytes(shell.replace('"?"', deep)), 1, NO_INSTRUMENTS).kind).toMatch(/^[a-z]+$/)
  })
}

function blames(venue: Venue, fixtures: readonly Fixture[]): void {
  test('names channel and symbol of what it cannot read', () => {
    for (const fixture of fixtures.filter(({ expect: { events } }) => events?.length === 1)) {
      const broken = textOf(fixture).replace(/:"?\d+"?(?=[,}\]])/g, ':"never"')
      expect(venue.decode(bytes(broken), 1, NO_INSTRUMENTS), fixture.name).toMatchObject({
        kind: 'malformed',
        channel: expect.stringMatching(new RegExp(`^(${CHANNELS.join('|')})$`)),
        symbol: expect.stringMatching(/^[A-Z0-9\p{L}_-]+/u),
      })
    }
  })

  test('names channel and symbol of broken JSON, if they stand at its beginning', () => {
    const owners = new Set<string>()
    for (const fixture of fixtures) {
      const whole = venue.decode(fixture.frame, 1, NO_INSTRUMENTS)
      const [event, ...more] = whole.kind === 'events' ? whole.events : []
      const text = textOf(fixture)
      // A frame without the name of its stream does not say early enough whose it is.
      if (event === undefined || more.length > 0 || !/"(stream|channel)"/.test(text)) continue
      const channel = CHANNEL_OF[event.type]
      owners.add(`${channel}`)
      const hostile = `${text.slice(0, -1)}${'"'.repeat(100_000)}`
      for (const broken of [text.slice(0, -1), text.slice(0, Math.min(160, text.length - 1)), hostile, `${text}\xff`]) {
        const decoded = venue.decode(bytes(broken), 1, NO_INSTRUMENTS)
        expect(decoded, fixture.name).toMatchObject({ kind: 'malformed', channel, symbol: event.symbol })
      }
      const late = venue.decode(bytes(`{"pad":"${' '.repeat(256)}",${text.slice(1, -1)}`), 1, NO_INSTRUMENTS)
      expect(late, fixture.name).toEqual({ kind: 'malformed', reason: expect.any(String) })
    }
    expect([...owners].sort()).toEqual([...channelsOf(venue)].sort())
  })
}

/** What is asked for over REST: every request on a budget that exists and within it. */
function asks(venue: Venue): void {
  const { rest, restLimits } = venue
  const symbol = venue.defaultSymbols[0] as string
  const topics = channelNames(venue, 'trade').map((name) => venue.topic('trade', name, symbol))
  const wanted = { first: 1_000, last: 51_000 }

  test('requests are paths on a budget that can pay for them', () => {
    const requests = [
      ...rest.instruments([symbol]),
      ...rest.snapshotSizes.map((size) => rest.snapshot(symbol, size)),
      ...topics.flatMap((topic) => [rest.newestTrade(topic), rest.trades(topic, wanted).request]),
      ...channelsOf(venue).flatMap((channel) => rest.poll(channel, [symbol])),
    ]
    for (const { path, budget, weight } of requests) {
      expect(path).toMatch(/^\/[^\s]+$/)
      expect(weight).toBeGreaterThan(0)
      expect(weight, path).toBeLessThanOrEqual(restLimits.budgets[budget]?.limit ?? 0)
    }
    const levels = rest.snapshotSizes.map((size) => size.levels)
    expect(levels).toEqual([...levels].sort((a, b) => a - b))
  })

  test('pages of past trades begin where they should and come to an end', () => {
    for (const topic of topics) {
      let { first } = wanted
      for (let pages = 0; first <= wanted.last; pages++) {
        const { span } = rest.trades(topic, { first, last: wanted.last })
        expect(span.first).toBe(first)
        expect(span.last).toBeGreaterThanOrEqual(first)
        expect(span.last).toBeLessThanOrEqual(wanted.last)
        expect(pages).toBeLessThan(1_000)
        first = span.last + 1
      }
    }
    if (channelsOf(venue).includes('trade')) expect(channelNames(venue, 'trade')).toContain(rest.polledTrades)
  })

  test('what is no answer is a fault, whatever it says, and never an exception', () => {
    const statuses = fc.constantFrom(400, 403, 404, 418, 429, 500, 502, 503)
    fc.assert(
      fc.property(statuses, fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }), (status, body) => {
        const found = rest.fault(status, {}, body, 1)
        expect(found?.reason).toEqual(expect.any(String))
        if (found?.kind === 'rate_limited' || found?.kind === 'banned') expect(found.retryAfterMs).toBeGreaterThan(0)
      }),
      { numRuns: 300 },
    )
    expect(rest.fault(429, {}, undefined, 1)).toMatchObject({ kind: 'rate_limited' })
    expect(rest.fault(200, {}, undefined, 1)).toMatchObject({ kind: 'failed' })
  })
}

/** By the keys that lead to it: the message with `?` for a member, down to the third level. */
function shells(message: unknown, wrap = (inner: unknown) => inner, path = ''): [string, string][] {
  const here: [string, string][] = [[path, JSON.stringify(wrap('?'))]]
  if (typeof message !== 'object' || message === null || path.split('.').length > 3) return here
  const inner = Object.entries(message).flatMap(([key, value]) => {
    const inList = Array.isArray(message)
    const wrapped = (changed: unknown) => wrap(inList ? [changed] : { ...message, [key]: changed })
    return shells(value, wrapped, inList ? `${path}.` : `${path}.${key}`)
  })
  return [...here, ...inner]
}

/** Everything in a message, objects and lists included. */
function valueCount(message: unknown): number {
  if (typeof message !== 'object' || message === null) return 1
  return Object.values(message).reduce<number>((sum, inner) => sum + valueCount(inner), 1)
}

/** A copy of `message` whose nth value, counted through, is `value`. */
function replaced(message: unknown, n: number, value: unknown): unknown {
  let left = n
  const walk = (node: unknown): unknown => {
    if (left-- === 0) return value
    if (Array.isArray(node)) return node.map(walk)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, walk(inner)]))
  }
  return walk(message)
}

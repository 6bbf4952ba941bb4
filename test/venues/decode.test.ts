import { describe, expect, test } from 'vitest'
import { CHANNEL_OF, CHANNELS, type EventType } from '../../src/model/event.ts'
import { venues } from '../../src/venues/index.ts'
import { fixturesOf, fixtureVenues, NO_INSTRUMENTS } from './fixtures.ts'

/** What leaves the process: absent fields are absent. */
const asWritten = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe.each(venues.map((venue) => [venue.id, venue] as const))('%s', (id, venue) => {
  const fixtures = fixturesOf(id)

  test.each(fixtures.map((fixture) => [fixture.name, fixture] as const))('decodes %s', (_name, fixture) => {
    expect(asWritten(venue.decode(fixture.frame, fixture.receive_time_us, NO_INSTRUMENTS))).toEqual(fixture.expect)
    expect(fixture.source).toMatch(/^https:\/\//)
  })

  test.each(CHANNELS)('has a fixture of channel %s', (channel) => {
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

  test('ids do not depend on when or where the frame came', () => {
    for (const fixture of fixtures) {
      const ids = [1, 2].map((at) => {
        const decoded = venue.decode(fixture.frame, at, NO_INSTRUMENTS)
        return decoded.kind === 'events' ? decoded.events.map((event) => event.id) : []
      })
      expect(ids[0]).toEqual(ids[1])
    }
  })
})

test('every folder of fixtures belongs to a venue', () => {
  expect(fixtureVenues().sort()).toEqual(venues.map((venue) => venue.id).sort())
})

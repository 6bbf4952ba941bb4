import { expect, test } from 'vitest'
import { CHANNELS } from '../../src/model/event.ts'
import { exchanges, findVenue, venues } from '../../src/venues/index.ts'
import { conforms } from './conformance.ts'
import { fixturesOf, fixtureVenues } from './fixtures.ts'

for (const venue of venues) conforms(venue, fixturesOf(venue.id))

test.each(venues)('$id is found by its id, under its company, and has every channel', (venue) => {
  expect(findVenue(venue.id)).toBe(venue)
  expect(exchanges).toContain(venue.exchange)
  expect(Object.keys(venue.channels).sort()).toEqual([...CHANNELS].sort())
})

test('every folder of fixtures belongs to a venue', () => {
  expect(fixtureVenues().sort()).toEqual(venues.map((venue) => venue.id).sort())
})

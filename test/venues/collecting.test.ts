import { simVenues } from '../../src/sim/index.ts'
import { findVenue } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { collects } from './collecting.ts'

for (const sim of simVenues) collects(findVenue(sim.id) as Venue, sim)

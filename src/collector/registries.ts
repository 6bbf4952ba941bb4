/** The lists of what there is: everything that one addition lengthens by a line. */

import { type RouteMaker, routes } from '../api/routes/index.ts'
import { venues } from '../venues/index.ts'
import type { Venue } from '../venues/venue.ts'
import { type SinkMaker, sinks } from './sinks.ts'

export interface Registries {
  readonly venues: readonly Venue[]
  readonly sinks: readonly SinkMaker[]
  readonly routes: readonly RouteMaker[]
}

/** What the program ships with. */
export const registries: Registries = { venues, sinks, routes }

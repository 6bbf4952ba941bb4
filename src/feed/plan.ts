import type { Topic, Venue } from '../venues/venue.ts'

/** The topics of one connection: all on one endpoint, within the venue's limit. */
export interface PlannedConnection {
  readonly endpoint: string
  readonly topics: readonly Topic[]
}

/** Cuts topics into connections: one endpoint each, evenly filled, never above the venue's limit of topics. */
export function planConnections(venue: Venue, topics: readonly Topic[]): PlannedConnection[] {
  return Object.keys(venue.endpoints).flatMap((endpoint) => {
    const here = topics.filter((topic) => topic.endpoint === endpoint)
    const count = Math.ceil(here.length / venue.socketLimits.topicsPerConnectionMax)
    return Array.from({ length: count }, (_, index) => ({
      endpoint,
      topics: here.slice(Math.floor((index * here.length) / count), Math.floor(((index + 1) * here.length) / count)),
    }))
  })
}

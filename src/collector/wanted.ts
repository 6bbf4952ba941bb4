/** What the configuration asks for, in the words of venues and books. */

import { CHANNELS, type Channel } from '../model/event.ts'
import type { Config, VenueConfig } from '../ops/config-schema.ts'
import type { Venue } from '../venues/venue.ts'

/** A polled book is whole each time, like one whose venue sends the snapshot on the stream. */
export const bookRules = (venue: Venue, config: Config): Venue['book'] =>
  config.enable_websocket ? venue.book : { ...venue.book, snapshotFrom: 'stream', checksum: undefined }

/** The venue's channel of each of ours that it has and that is switched on. */
export function wantedChannels(config: Config, venueConfig: VenueConfig): Partial<Record<Channel, string>> {
  const isOn = (channel: Channel) =>
    venueConfig.channels[channel] !== undefined &&
    config.collect[channel] &&
    (channel !== 'book' || config.enable_orderbook)
  return Object.fromEntries(CHANNELS.filter(isOn).map((channel) => [channel, venueConfig.channels[channel]]))
}

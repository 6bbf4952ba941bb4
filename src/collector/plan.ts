/** What a configuration costs, before anything is opened: what each venue is asked for, and how much is to come. Pure. */

import { type VenueCost, venueCost } from '../feed/cost.ts'
import { wantedFeeds } from '../feed/plan.ts'
import { PrismError } from '../model/errors.ts'
import type { Config, VenueConfig } from '../ops/config-schema.ts'
import type { Venue } from '../venues/venue.ts'
import { polledVolume, streamVolume, type Volume, type VolumeCase } from './volume.ts'
import { wantedChannels } from './wanted.ts'

/** Estimates. */
export interface Rates {
  readonly messagesPerSecond: number
  readonly wireBytesPerSecond: number
  readonly logBytesPerDay: number
  readonly lakeBytesPerDay: number
}

export interface VenuePlan {
  readonly venue: Venue
  readonly symbols: number
  readonly cost: VenueCost
  readonly rates: Readonly<Record<VolumeCase, Rates>>
  /** What is beyond the venue's limits, in words. `isKept`: the collector keeps the limit all the same, and its data come late. */
  readonly problems: readonly { readonly text: string; readonly isKept: boolean }[]
}

const DAY_SECONDS = 86_400

/** One plan for each venue that is switched on. */
export const planOf = (config: Config, venues: readonly Venue[]): VenuePlan[] =>
  venues.flatMap((venue) => {
    const venueConfig = config.exchanges[venue.id]
    return venueConfig?.enabled === true ? planVenue(venue, venueConfig, config) : []
  })

/** What of the configuration would break a venue's limits; the collector must not start with it. Errors: throws PrismError CONFIG_INVALID. */
export function requireWithinLimits(config: Config, venues: readonly Venue[]): void {
  const lines = planOf(config, venues).flatMap(({ problems }) =>
    problems.flatMap(({ text, isKept }) => (isKept ? [] : text)),
  )
  if (lines.length > 0) throw new PrismError('CONFIG_INVALID', lines.join('\n'), { errors: lines.length })
}

function planVenue(venue: Venue, venueConfig: VenueConfig, config: Config): VenuePlan {
  const pollIntervalMs = config.enable_websocket ? undefined : config.collection_interval_seconds * 1000
  const { symbols } = venueConfig
  const feeds = wantedFeeds(symbols, wantedChannels(config, venueConfig)).filter(
    ({ channel, symbol }) => pollIntervalMs === undefined || venue.rest.poll(channel, [symbol]).length > 0,
  )
  const cost = venueCost(venue, feeds, pollIntervalMs)
  const ratesOf = (which: VolumeCase) =>
    sumOf(
      feeds.map(({ channel }) =>
        pollIntervalMs === undefined
          ? streamVolume(venue, channel, which)
          : polledVolume(channel, which, pollIntervalMs),
      ),
    )
  const rates = { usual: ratesOf('usual'), peak: ratesOf('peak') }
  return { venue, symbols: symbols.length, cost, rates, problems: problemsOf(venue, cost, pollIntervalMs) }
}

function sumOf(volumes: readonly Volume[]): Rates {
  const perSecond = (bytesOf: (volume: Volume) => number) =>
    volumes.reduce((sum, volume) => sum + volume.perSecond * bytesOf(volume), 0)
  return {
    messagesPerSecond: perSecond(() => 1),
    wireBytesPerSecond: perSecond(({ wireBytes }) => wireBytes),
    logBytesPerDay: DAY_SECONDS * perSecond(({ logBytes }) => logBytes),
    lakeBytesPerDay: DAY_SECONDS * perSecond(({ lakeBytes }) => lakeBytes),
  }
}

function problemsOf(venue: Venue, cost: VenueCost, pollIntervalMs: number | undefined): VenuePlan['problems'] {
  const { topics, topicsMax, connections, budgets } = cost
  const { connectionsMax = 0, topicsPerConnectionMax } = venue.socketLimits
  const tooMany = {
    text: `exchanges.${venue.id}.symbols: ${topics} streams need ${connections.length} connections to ${venue.title}; at most ${connectionsMax} of ${topicsPerConnectionMax} streams each keep its limit. Collect fewer symbols or channels, or divide them over machines with addresses of their own`,
    isKept: false,
  }
  const late = budgets
    .filter(({ later, allowed }) => later > allowed)
    .map(({ name, later, allowed, windowMs }) => ({
      text: `exchanges.${venue.id}.symbols: polling every ${(pollIntervalMs ?? 0) / 1000} s needs ${later} of ${venue.title}'s ${name} each ${windowMs / 1000} s, ${allowed} may be used; data would come late. Poll ${Math.ceil(later / allowed)} times as rarely (collection_interval_seconds), or fewer symbols`,
      isKept: true,
    }))
  return topics > topicsMax ? [tooMany, ...late] : late
}

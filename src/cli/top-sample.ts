/** What `marketprism top` asks a running service, and what it makes of two answers that follow each other. */

import type { z } from 'zod'
import { isVerifiable, share } from '../api/completeness.ts'
import { completenessResponse } from '../api/routes/completeness.ts'
import { feedsResponse } from '../api/routes/feeds.ts'
import { healthResponse } from '../api/routes/health.ts'
import { statusResponse } from '../api/routes/status.ts'
import type { ServiceClient } from './running-service.ts'

export type Feed = z.output<typeof feedsResponse>['feeds'][number]
export type Health = z.output<typeof healthResponse>
export type Coverage = z.output<typeof completenessResponse>['feeds'][number]

/** Where a sink stands. */
export interface SinkState {
  readonly name: string
  readonly isUp: boolean
  /** Stored in it since the start. */
  readonly records: number
  readonly lagRecords: number
  readonly lagSeconds: number
  /** In words. */
  readonly result: string
}

/** One look at the service. */
export interface Sample {
  /** The service's time, ms since the epoch. */
  readonly timeMs: number
  readonly status: z.output<typeof statusResponse>
  readonly health: Health
  readonly feeds: readonly Feed[]
  readonly sinks: readonly SinkState[]
  /** By `venue channel`. */
  readonly openGaps: ReadonlyMap<string, number>
  /** Of the last hour; `undefined`: not asked for, or not known yet. */
  readonly coverage: readonly Coverage[] | undefined
}

/** Errors: those of {@link ServiceClient}. */
export async function takeSample(client: ServiceClient): Promise<Sample> {
  const [status, feeds, health, metrics] = await Promise.all([
    client.ask('/api/v1/status', statusResponse),
    client.ask('/api/v1/feeds', feedsResponse),
    client.plain('/health', healthResponse),
    client.text('/metrics'),
  ])
  return {
    timeMs: Date.parse(feeds.timestamp),
    status: status.data,
    health,
    feeds: feeds.data.feeds,
    sinks: sinksOf(health, metrics),
    openGaps: openGapsOf(metrics),
    coverage: undefined,
  }
}

/** How much of the last hour is covered, feed by feed. `undefined`: the service cannot tell now. */
export async function takeCoverage(client: ServiceClient): Promise<readonly Coverage[] | undefined> {
  return client.ask('/api/v1/completeness?since=1h', completenessResponse).then(
    ({ data }) => data.feeds,
    () => undefined,
  )
}

const SINK_CHECK = 'sink:'
const SINK_LINE =
  /^marketprism_sink_(up|records_total|lag_records|lag_seconds)\{(?:[^}]*,)?sink="([^"]+)"[^}]*\} (\S+)$/gm

const GAPS_LINE = /^marketprism_gaps_open\{([^}]*)\} (\d+)$/gm

/** A feed may have hundreds of them that are being healed; it names but the newest. */
function openGapsOf(metrics: string): Map<string, number> {
  const counts = [...metrics.matchAll(GAPS_LINE)].map(([, labels = '', count]) => {
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1]
    return [`${label('venue')} ${label('channel')}`, Number(count)] as const
  })
  return new Map(counts)
}

/** Health names the sinks and says how they are; the metrics count. */
function sinksOf({ checks }: Health, metrics: string): SinkState[] {
  const figures = new Map<string, number>()
  for (const [, what, sink, value] of metrics.matchAll(SINK_LINE)) figures.set(`${sink} ${what}`, Number(value))
  return Object.entries(checks).flatMap(([check, { result }]) => {
    if (!check.startsWith(SINK_CHECK)) return []
    const name = check.slice(SINK_CHECK.length)
    const figure = (what: string) => figures.get(`${name} ${what}`) ?? 0
    return {
      name,
      isUp: figure('up') === 1,
      records: figure('records_total'),
      lagRecords: figure('lag_records'),
      lagSeconds: figure('lag_seconds'),
      result,
    }
  })
}

/** What many feeds have in common. */
export interface GroupRow {
  readonly venue: string
  /** `all`: every channel of the venue. */
  readonly channel: string
  readonly feeds: number
  readonly live: number
  /** Events a second; `undefined` before there are two samples. */
  readonly rate: number | undefined
  /** Age of the newest message of all feeds, and of the feed that has been silent longest, in seconds. */
  readonly newestSeconds: number | undefined
  readonly oldestSeconds: number | undefined
  readonly openGaps: number
  /** Of the last hour; `undefined`: not known. */
  readonly coveredShare: number | undefined
  /** False: more may be missing than is known. */
  readonly isVerifiable: boolean
}

const NOT_WANTED: readonly Feed['state'][] = ['disabled', 'delisted']

export const isWanted = ({ state }: Feed): boolean => !NOT_WANTED.includes(state)

/** Feeds of one venue and channel together, or of one venue, in the service's order. */
export function groupRows(sample: Sample, before: Sample | undefined, byChannel: boolean): GroupRow[] {
  const keyOf = ({ venue, channel }: Feed | Coverage) => (byChannel ? `${venue} ${channel}` : venue)
  const groups = groupBy(sample.feeds, keyOf)
  const coverage = groupBy(sample.coverage ?? [], keyOf)
  const eventsBefore = new Map((before?.feeds ?? []).map((feed) => [nameOf(feed), feed.events]))
  const seconds = before === undefined ? 0 : (sample.timeMs - before.timeMs) / 1000
  return [...groups].map(([key, feeds]) => {
    const wanted = feeds.filter(isWanted)
    const ages = wanted.flatMap(({ last_message }) =>
      last_message === null ? [] : Math.max(0, (sample.timeMs - Date.parse(last_message)) / 1000),
    )
    // A feed that began anew counts from 0.
    const events = feeds.reduce((sum, feed) => sum + grown(feed.events, eventsBefore.get(nameOf(feed)) ?? 0), 0)
    return {
      venue: (feeds[0] as Feed).venue,
      channel: byChannel ? (feeds[0] as Feed).channel : 'all',
      feeds: wanted.length,
      live: wanted.filter(({ state }) => state === 'live').length,
      rate: seconds > 0 ? events / seconds : undefined,
      newestSeconds: ages.length === 0 ? undefined : Math.min(...ages),
      oldestSeconds: ages.length === 0 ? undefined : Math.max(...ages),
      openGaps: sumOf(new Set(feeds.map(channelOf)), (channel) => sample.openGaps.get(channel) ?? 0),
      coveredShare: shareOf(coverage.get(key) ?? []),
      isVerifiable: feeds.every(isVerifiable),
    }
  })
}

const channelOf = ({ venue, channel }: Feed): string => `${venue} ${channel}`

function sumOf<Item>(items: Iterable<Item>, value: (item: Item) => number): number {
  let sum = 0
  for (const item of items) sum += value(item)
  return sum
}

const grown = (after: number, before: number): number => (after >= before ? after - before : after)

/** Over the time in which all these feeds were collected, together. */
export function shareOf(feeds: readonly Coverage[]): number | undefined {
  const total = sumOf(feeds, ({ seconds }) => seconds)
  const covered = sumOf(feeds, ({ seconds, covered_share }) => seconds * covered_share)
  const hasLoss = feeds.some(({ covered_share }) => covered_share < 1)
  return total > 0 ? share(covered / total, hasLoss) : undefined
}

const nameOf = ({ venue, channel, symbol }: Feed): string => `${venue} ${channel} ${symbol}`

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}

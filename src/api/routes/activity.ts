import { z } from 'zod'
import { isoTime } from '../../model/time.ts'
import type { RouteDeps } from '../deps.ts'
import { round2 } from '../facts.ts'
import type { LatencyView } from '../operations-view.ts'
import { dataRoute } from '../route.ts'
import { time } from '../schemas.ts'

const MS_PER_SECOND = 1000
const FRACTION_DIGITS_MS = 4

const rates = z.array(z.number().min(0))
const latencies = z.strictObject({
  p50: z.array(z.number().min(0).nullable()).describe('The median; `null` where nothing came.'),
  p99: z.array(z.number().min(0).nullable()),
})

const venueSchema = z.strictObject({
  exchange: z.string(),
  venue: z.string(),
  messages_per_second: rates.describe('Frames received.'),
  events_per_second: rates.describe('Normalized events.'),
  exchange_latency_ms: latencies.describe(
    "From the venue's time to receipt, in milliseconds; the difference of the two clocks is in it.",
  ),
  store_latency_ms: latencies.describe('From receipt until stored, in milliseconds.'),
})

/** `GET /api/v1/activity` */
export const activity = ({ view }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/activity',
    summary: 'Message rates and latencies of the last minutes',
    description:
      'Lists of equal length, the oldest first: one value a step, of the last 15 minutes at most. Latencies are read from the buckets of the histograms in `/metrics`, so they are as exact as those; what is beyond the last bucket counts as its bound.',
    tag: 'collector',
    message: 'Activity retrieved successfully',
    response: z.strictObject({
      step_seconds: z.number().describe('Length of a step.'),
      times: z.array(time).describe('The end of each step.'),
      venues: z.array(venueSchema).describe('Those that are collected.'),
    }),
    needsCollector: true,
    failure: 'STATS_UNAVAILABLE',
    handle() {
      const { stepSeconds, timesUs, venues } = view.activity()
      return {
        step_seconds: stepSeconds,
        times: timesUs.map(isoTime),
        venues: venues.map((venue) => ({
          exchange: venue.exchange,
          venue: venue.venue,
          messages_per_second: venue.messagesPerSecond.map(round2),
          events_per_second: venue.eventsPerSecond.map(round2),
          exchange_latency_ms: milliseconds(venue.exchangeLatencySeconds),
          store_latency_ms: milliseconds(venue.storeLatencySeconds),
        })),
      }
    },
  })

const milliseconds = ({ p50, p99 }: LatencyView): z.input<typeof latencies> => ({
  p50: p50.map(rounded),
  p99: p99.map(rounded),
})

const rounded = (seconds: number | undefined): number | null =>
  seconds === undefined ? null : Number((seconds * MS_PER_SECOND).toFixed(FRACTION_DIGITS_MS))

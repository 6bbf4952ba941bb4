/** Schemas of parts that several endpoints share. */

import { z } from 'zod'
import { count, timeOrNull } from '../schemas.ts'

export const featuresSchema = z
  .strictObject({
    collector_initialized: z.boolean(),
    orderbook_enabled: z.boolean(),
    websocket_enabled: z.boolean(),
    normalizer_enabled: z.boolean(),
  })
  .describe('What is really on.')

export const collectionStatsSchema = z.strictObject({
  rest_requests: count,
  websocket_messages: count.describe('Frames received.'),
  errors: count.describe('Errors of every stage.'),
  last_update: timeOrNull.describe('When the last message came.'),
  active_sources: count.describe('Feeds that are live now.'),
  websocket_connections: count.describe('Open sockets.'),
})

export const exchangeSchema = z.strictObject({
  enabled: z.boolean().describe('By the configuration.'),
  websocket_connected: z.boolean().describe('All its sockets are open.'),
  rest_api_available: z.boolean().nullable().describe('Result of the last REST call; `null` before the first.'),
  last_update: timeOrNull.describe('When its last message came.'),
  status: z.enum(['active', 'connecting', 'degraded', 'stale', 'down', 'banned', 'disabled']),
  reason: z.string().nullable().describe('Why it is not `active`, in words.'),
})

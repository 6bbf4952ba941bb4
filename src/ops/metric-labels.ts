/** Every label that a metric may have, and its values: never without a bound. */

import { CHANNEL_OF, CHANNELS, GAP_CAUSES } from '../model/event.ts'

/**
 * What a label's values can be: the registry's venues, a list, or (`max`) any values but only so many of them.
 * Others count as `other`.
 */
export type LabelValues = 'venues' | readonly string[] | { readonly max: number }

/** Stages of the path at which something can go wrong. */
export const ERROR_STAGES = [
  'connect',
  'subscribe',
  'decode',
  'book',
  'rest',
  'store',
  'stream',
  'api',
  'internal',
] as const
export type ErrorStage = (typeof ERROR_STAGES)[number]

/** Every label that a metric may have. */
export const LABELS = {
  venue: 'venues',
  type: Object.keys(CHANNEL_OF),
  channel: CHANNELS,
  cause: GAP_CAUSES,
  /** Those of the configuration; venues have the same names, so they count once. */
  symbol: { max: 1000 },
  state: { max: 16 },
  stage: ERROR_STAGES,
  /** Of a REST request, or of an audit. */
  outcome: [
    'ok',
    'rate_limited',
    'banned',
    'unknown_symbol',
    'failed',
    'malformed',
    'unreachable',
    'match',
    'mismatch',
    'not_aligned',
    'done',
    'promoted',
    'given_up',
  ],
  category: ['tickers', 'orderbooks', 'trades'],
  reason: { max: 48 },
  budget: { max: 16 },
  sink: { max: 16 },
  /** What a disk is asked. */
  operation: ['open', 'write', 'sync', 'read', 'remove', 'cursor'],
  what: { max: 48 },
  route: { max: 64 },
  status: { max: 40 },
  metric: { max: 200 },
  version: { max: 1 },
  node: { max: 1 },
} as const satisfies Record<string, LabelValues>

export type LabelName = keyof typeof LABELS

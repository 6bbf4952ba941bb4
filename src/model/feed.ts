/** The states of a feed: one channel of one symbol of one venue. */

export const FEED_STATES = [
  'connecting',
  'subscribing',
  'syncing',
  'live',
  'stale',
  'resyncing',
  'down',
  'banned',
  'delisted',
  'disabled',
] as const
export type FeedState = (typeof FEED_STATES)[number]

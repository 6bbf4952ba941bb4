/** Which of two states of a stream without running numbers is the newer one. Pure. */

import type { EpochUs, MarketEvent } from '../model/event.ts'

export interface Received {
  readonly event: MarketEvent
  readonly receiveTimeUs: EpochUs
}

/** By the venue's time, else by its numbers, else by ours. */
export function isAfter(one: Received, other: Received): boolean {
  const pairs = [timeOf, numberOf].map((read) => [read(one.event), read(other.event)] as const)
  const [left, right] = pairs.find((pair) => !pair.includes(undefined)) ?? [one.receiveTimeUs, other.receiveTimeUs]
  return (left ?? 0) > (right ?? 0)
}

const timeOf = (event: MarketEvent): number | undefined => event.exchange_time_us
const numberOf = (event: MarketEvent): number | undefined => (event.type === 'quote' ? event.sequence : undefined)

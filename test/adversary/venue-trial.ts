/** Trials of whole venues: each has an exchange and a service of its own, with two symbols at four venues. */

import { expect } from 'vitest'
import { allLive, type GapRecord, startWorld, type World } from './consumer.ts'
import type { Client, RestFaults } from './exchange.ts'
import { lostOf } from './judge.ts'
import type { Kind, Stream } from './market.ts'
import { namesOf, VENUES } from './names.ts'
import { expectGaps, expectHonest, SLACK_US, type Trial } from './trial.ts'

export const S = 1_000_000
const NAMES = namesOf(['ONE', 'TWO'])
export const NUMBERED: readonly Kind[] = ['trade', 'book']
export const KINDS: readonly Kind[] = ['trade', 'ticker', 'quote', 'book']
/** Lost for good where the venue still has all trades. */
export const UNFETCHED: readonly Kind[] = ['ticker', 'quote', 'book']

export interface VenueTrial {
  readonly what: string
  strike(world: World): Promise<void>
  /** Gaps that there must be. */
  readonly gaps: Readonly<Record<string, number>>
  /** Kinds of which facts are lost for good. */
  readonly loses: readonly Kind[]
  /** Streams that are judged; of the others a loss cannot be known. */
  readonly judged?: readonly Kind[]
  readonly speed?: number
}

const CUT = { 'ticker disconnect closed': 8, 'quote disconnect closed': 8, 'book disconnect closed': 8 }
/** The gaps of an outage whose trades could be fetched, and could not. */
export const HEALED = { ...CUT, 'trade disconnect healed': 8 }
export const GONE = { ...CUT, 'trade disconnect final': 8 }
export const SILENT = { 'ticker silence closed': 8, 'quote silence closed': 8, 'book silence closed': 8 }

export const clients = ({ exchange }: World): Client[] =>
  Object.keys(VENUES).flatMap((venue) => exchange.clientsOf(venue))

export const trades = ({ exchange }: World, base = ''): Stream[] =>
  exchange.streams.filter(({ kind, symbol }) => kind === 'trade' && symbol.startsWith(base))

export function cut(world: World): void {
  for (const { raw } of clients(world)) raw.destroy()
}

export function mark(world: World, state: Client['state']): void {
  for (const client of clients(world)) client.state = state
}

export function rest({ exchange }: World, faults: Partial<RestFaults>): void {
  for (const each of Object.values(exchange.rest)) Object.assign(each, faults)
}

export function refuse({ exchange }: World): void {
  for (const venue of Object.keys(VENUES)) exchange.refusing.add(venue)
}

/** Without a venue for so long. */
export async function outage(world: World, seconds: number): Promise<void> {
  refuse(world)
  cut(world)
  await world.pass(seconds)
  world.exchange.refusing.clear()
}

/** The service cannot know that no ticker or quote was missed. */
const isUnverifiable = ({ channel }: GapRecord): boolean => channel === 'ticker' || channel === 'quote'

export async function run({ strike, gaps, loses, judged = KINDS, speed = 10 }: VenueTrial): Promise<void> {
  const world = await startWorld(NAMES, { speed })
  const { consumer, exchange } = world
  const sinceUs = world.nowUs()
  // So long that each stream's own rate is known.
  await world.pass(25)
  await strike(world)
  await allLive(consumer)
  const streams = exchange.streams.filter(({ kind }) => judged.includes(kind))
  const untilUs = world.nowUs()
  const trial: Trial = { streams, delivered: consumer.delivered, sinceUs, untilUs, slackUs: SLACK_US * speed }
  const found = await expectHonest(trial, consumer, isUnverifiable)
  expectGaps(found.gaps, gaps)
  if (loses.length === 0) expect(found.gaps).toEqual([])
  for (const kind of judged) {
    const losers = streams.filter((stream) => stream.kind === kind && lostOf(stream, found).length > 0)
    expect([kind, losers.length > 0]).toEqual([kind, loses.includes(kind)])
  }
  await world.end()
}

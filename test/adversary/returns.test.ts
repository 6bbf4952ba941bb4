/** A venue comes back other than it went. */

import { describe, test } from 'vitest'
import { VENUES } from './names.ts'
import {
  cut,
  GONE,
  HEALED,
  KINDS,
  NUMBERED,
  outage,
  refuse,
  rest,
  run,
  S,
  trades,
  UNFETCHED,
  type VenueTrial,
} from './venue-trial.ts'

const MISBEHAVIOURS: readonly VenueTrial[] = [
  // The longest first: they run side by side.
  {
    what: 'has dead streams of trades, and a slow REST API that forgets',
    async strike(world) {
      rest(world, { keep: 1, delayUs: 3 * S })
      for (const stream of trades(world, 'ONE')) world.exchange.valve(stream).freeze = 'forget'
      await world.pass(150)
      for (const stream of trades(world, 'ONE')) world.exchange.thaw(stream)
      await world.pass(5)
    },
    gaps: {},
    loses: ['trade'],
    speed: 15,
  },
  {
    what: 'comes back with new numbers, and nobody trades for a minute',
    async strike(world) {
      refuse(world)
      cut(world)
      await world.pass(3)
      for (const stream of trades(world)) stream.renumber(100)
      await world.pass(5)
      for (const stream of trades(world)) stream.dueUs = world.nowUs() + 60 * S
      world.exchange.refusing.clear()
      await world.pass(65)
    },
    gaps: GONE,
    loses: KINDS,
  },
  {
    what: 'comes back with a REST API that is seconds behind',
    async strike(world) {
      rest(world, { lagUs: 5 * S })
      await outage(world, 10)
    },
    gaps: HEALED,
    loses: UNFETCHED,
  },
  {
    what: 'comes back without its REST API',
    async strike(world) {
      rest(world, { isDown: true })
      await outage(world, 10)
      await world.pass(15)
      rest(world, { isDown: false })
    },
    gaps: HEALED,
    loses: UNFETCHED,
  },
  {
    what: 'comes back with books of the past',
    async strike(world) {
      for (const venue of Object.keys(VENUES)) world.exchange.oldSnapshots.set(venue, 20 * S)
      await outage(world, 5)
      await world.pass(10)
      world.exchange.oldSnapshots.clear()
    },
    gaps: HEALED,
    loses: UNFETCHED,
  },
  {
    what: 'comes back with new numbers',
    async strike(world) {
      refuse(world)
      cut(world)
      await world.pass(5)
      for (const stream of world.exchange.streams) stream.renumber(100)
      await world.pass(5)
      world.exchange.refusing.clear()
    },
    gaps: GONE,
    loses: KINDS,
  },
  {
    what: 'has dead streams when it is cut, of which REST knows nothing any more',
    async strike(world) {
      const { exchange } = world
      rest(world, { keep: 1 })
      // Pauses of some seconds are usual here.
      for (const stream of exchange.streams) if (NUMBERED.includes(stream.kind)) stream.dueUs = world.nowUs() + 7 * S
      await world.pass(20)
      const dead = exchange.streams.filter(({ kind, symbol }) => NUMBERED.includes(kind) && symbol.startsWith('ONE'))
      for (const stream of dead) exchange.valve(stream).freeze = 'forget'
      await world.pass(6)
      for (const stream of dead) exchange.thaw(stream)
      await outage(world, 3)
    },
    gaps: GONE,
    loses: KINDS,
  },
]

describe.concurrent('a venue', () => {
  test.each(MISBEHAVIOURS)('$what', { timeout: 60_000 }, run)
})

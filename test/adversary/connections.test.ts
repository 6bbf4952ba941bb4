/** Connections to a venue end, die, stand still. */

import { describe, test } from 'vitest'
import { VENUES } from './names.ts'
import {
  clients,
  GONE,
  HEALED,
  KINDS,
  mark,
  NUMBERED,
  outage,
  refuse,
  rest,
  run,
  SILENT,
  UNFETCHED,
  type VenueTrial,
} from './venue-trial.ts'

const MISBEHAVIOURS: readonly VenueTrial[] = [
  // The longest first: they run side by side.
  { what: 'is away for a minute', strike: (world) => outage(world, 60), gaps: HEALED, loses: UNFETCHED },
  {
    what: 'is away for a minute and has forgotten most trades',
    async strike(world) {
      rest(world, { keep: 60 })
      await outage(world, 60)
    },
    gaps: GONE,
    loses: KINDS,
  },
  {
    what: 'closes politely and is away for a while',
    async strike(world) {
      refuse(world)
      for (const { socket } of clients(world)) socket.close(1012, 'restart')
      await world.pass(5)
      world.exchange.refusing.clear()
    },
    gaps: HEALED,
    loses: UNFETCHED,
  },
  {
    what: 'resets, and refuses for a while',
    async strike(world) {
      refuse(world)
      for (const { raw } of clients(world)) raw.resetAndDestroy()
      await world.pass(5)
      world.exchange.refusing.clear()
    },
    gaps: HEALED,
    loses: UNFETCHED,
  },
  {
    what: 'keeps the connection, answers pings and sends nothing',
    async strike(world) {
      mark(world, 'mute')
      await world.pass(35)
    },
    gaps: SILENT,
    loses: UNFETCHED,
  },
  {
    what: 'is gone without a word, not even a pong',
    async strike(world) {
      mark(world, 'dead')
      await world.pass(35)
    },
    // By silence or by the missing pongs, whichever is noticed first.
    gaps: {},
    loses: UNFETCHED,
  },
  {
    what: 'stands still for a moment and then sends everything',
    async strike(world) {
      mark(world, 'mute')
      await world.pass(4)
      for (const venue of Object.keys(VENUES)) world.exchange.revive(venue, true)
    },
    gaps: {},
    loses: [],
  },
  {
    what: 'stands still for a moment and forgets: numbers tell',
    async strike(world) {
      mark(world, 'mute')
      await world.pass(4)
      for (const venue of Object.keys(VENUES)) world.exchange.revive(venue, false)
      await world.pass(2)
    },
    gaps: { 'trade sequence_gap healed': 8, 'book sequence_gap closed': 8 },
    loses: ['book'],
    // A silence of tickers and quotes that is shorter than any limit.
    judged: NUMBERED,
  },
]

describe.concurrent('a venue', () => {
  test.each(MISBEHAVIOURS)('$what', { timeout: 60_000 }, run)
})

/** What a damaged journal still tells, and that no gap stays open for what it does not. */

import { describe, expect, test } from 'vitest'
import type { FeedLedger } from '../../src/ledger/feed-ledger.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { StreamIdentity } from '../../src/ledger/records.ts'
import type { Gap } from '../../src/model/event.ts'
import { createWorld, type World } from '../helpers/world.ts'

const TICKER = { exchange: 'x', venue: 'x', channel: 'ticker', symbol: 'A', market: 'spot', proof: 'cadence' } as const
const TRADES = { ...TICKER, channel: 'trade', proof: 'counter' } as const

async function boot(world: World, stream: StreamIdentity, replay = (_ledger: Ledger) => {}) {
  const { files, clock } = world
  const told: Gap[] = []
  const emit = (gap: Gap) => void told.push(gap)
  const ledger = new Ledger({ folder: 'ledger', files, clock, emit, onProblem: () => {} })
  const unread = await ledger.load()
  replay(ledger)
  const feed = ledger.stream(stream)
  ledger.open(feed)
  await ledger.start()
  return { ledger, feed, told, unread }
}

/** The disk of the next process, a minute later; `damage` changes each line. */
async function next(world: World, damage = (line: string) => line): Promise<World> {
  const after = createWorld()
  for (const [path, text] of world.disk) after.disk.set(path, text.split('\n').map(damage).join('\n'))
  await after.clock.advance(world.clock.monotonicMs() + 60_000)
  return after
}

describe('the record of the end of a gap is spoilt, and another gap has begun since', () => {
  const withoutEnds = (line: string) => (line.includes('"end_time_us"') ? `x${line}` : line)

  /** One gap that ended after five seconds, and an hour later one that is open. `later`: what is different then. */
  async function two(stream: StreamIdentity, later = (_feed: FeedLedger) => {}) {
    const world = createWorld()
    const { feed, told } = await boot(world, stream)
    feed.heard(50, world.clock.nowUs())
    await world.clock.advance(1_000)
    feed.begin({ cause: 'disconnect', startUs: world.clock.nowUs() })
    await world.clock.advance(5_000)
    feed.end({ endUs: world.clock.nowUs() })
    feed.heard(60, world.clock.nowUs())
    await world.clock.advance(3_600_000)
    later(feed)
    feed.begin({ cause: 'silence', startUs: world.clock.nowUs() })
    await world.clock.advance(2_000)
    return { world, ended: told[1] as Gap, open: told.at(-1) as Gap }
  }

  test.each([
    ['closed', 60, TICKER],
    ['final', 60, TRADES],
    ['final', 7, TRADES],
  ] as const)(
    'the older one is %s by then; the newer one goes on, from sequence %i',
    async (state, sequence, stream) => {
      const { world, ended, open } = await two(stream, (feed) => {
        feed.lastSequence = sequence
      })
      const { feed, told } = await boot(await next(world, withoutEnds), stream)
      expect(feed.outage).toEqual(open)
      expect([...feed.healing]).toEqual([])
      expect(told).toMatchObject([{ gap_id: ended.gap_id, state, end_time_us: open.start_time_us }])
      expect(told[0]?.healed).toBeUndefined()
    },
  )

  test('the log may tell the end after all', async () => {
    const { world, ended } = await two(TICKER)
    const after = await next(world, withoutEnds)
    const { ledger, told } = await boot(after, TICKER, (of) => of.replay(TICKER, ended))
    expect(told).toEqual([])
    expect(ledger.gaps().find(({ gap_id }) => gap_id === ended.gap_id)).toEqual(ended)
  })
})

/** What a damaged journal still tells, and that no gap stays open for what it does not. */

import { describe, expect, test } from 'vitest'
import { ledgerCheck } from '../../src/collector/gap-observer.ts'
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

describe('a file cannot be read', () => {
  /** A process that was killed, and the disk that refuses to read what `names` says; it had two full files. */
  async function refusing(...names: string[]) {
    const world = createWorld()
    const { feed, ledger } = await boot(world, TICKER)
    feed.heard(50, world.clock.nowUs())
    ledger.flush()
    await world.clock.advance(3_000)
    const after = await next(world)
    const [text] = [...after.disk.values()]
    for (const name of ['journal-a.log', 'journal-b.log']) after.disk.set(`ledger/${name}`, text as string)
    const { read } = after.files
    Object.assign(after.files, {
      read: (path: string) =>
        names.some((name) => path.endsWith(name)) ? Promise.reject(new Error('EIO: i/o error, read')) : read(path),
    })
    return after
  }

  test.each([
    ['journal-a.log', 'journal-b.log'],
    ['journal-b.log', 'journal-a.log'],
  ])('%s: what the other one tells counts, and is kept', async (bad, good) => {
    const world = await refusing(bad)
    const known = world.disk.get(`ledger/${good}`)
    const { ledger, told, unread } = await boot(world, TICKER)
    expect(told).toMatchObject([{ cause: 'process_down', state: 'open' }])
    expect(unread).toBe(`files of the ledger could not be read: ${bad}: EIO: i/o error, read`)
    expect(ledgerCheck(ledger)).toMatchObject({ status: 'warn', result: expect.stringContaining(bad) })
    expect(world.disk.get(`ledger/${good}`)).toBe(known)
    expect(world.disk.get(`ledger/${bad}`)).toContain('process_down')
  })

  test('both: that is told, and gaps are written all the same', async () => {
    const world = await refusing('journal-a.log', 'journal-b.log')
    const { ledger, feed, told, unread } = await boot(world, TICKER)
    expect(unread).toMatch(/journal-a.log.*journal-b.log/)
    feed.heard(51, world.clock.nowUs())
    feed.begin({ cause: 'disconnect' })
    ledger.flush()
    expect(told).toMatchObject([{ cause: 'disconnect' }])
    expect([...world.disk.values()].join('')).toContain('"disconnect"')
    expect(ledgerCheck({ unread, problem: 'ENOSPC' })).toMatchObject({ status: 'fail' })
  })
})

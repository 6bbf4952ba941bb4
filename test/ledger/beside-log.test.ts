/** The journal beside a durable log: after a kill it knows no end of a gap that the log, and so the stores, do not have. */

import { describe, expect, test } from 'vitest'
import type { FeedLedger } from '../../src/ledger/feed-ledger.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { StreamIdentity } from '../../src/ledger/records.ts'
import type { Gap } from '../../src/model/event.ts'
import { sleep } from '../../src/platform/clock.ts'
import { createWorld, settle, type World } from '../helpers/world.ts'

const stream = (symbol: string): StreamIdentity => ({
  exchange: 'x',
  venue: 'x',
  channel: 'trade',
  symbol,
  market: 'spot',
  proof: 'counter',
})

/** A log in memory: what is appended is durable, and stored, when it is said to be. */
class Log {
  readonly stored: Gap[] = []
  readonly #appended: Gap[] = []
  lastLsn = 0
  durableLsn = 0
  readonly quietIds = () => []
  readonly allIds = () => []

  append(gap: Gap): void {
    this.lastLsn++
    this.#appended.push(gap)
  }

  bring(ledger: Ledger): void {
    this.durableLsn = this.lastLsn
    this.stored.push(...this.#appended.splice(0))
    ledger.proven()
  }

  /** What only memory had is gone. */
  kill(): void {
    this.#appended.length = 0
    this.lastLsn = this.durableLsn
  }
}

async function boot(world: World, log: Log, symbols: readonly string[]) {
  const { files, clock } = world
  const emit = (gap: Gap) => log.append(gap)
  const ledger = new Ledger({ folder: 'ledger', files, clock, log, emit, onProblem: () => {} })
  await ledger.load()
  const feeds = Object.fromEntries(symbols.map((symbol) => [symbol, ledger.stream(stream(symbol))]))
  for (const feed of Object.values(feeds)) ledger.open(feed)
  await ledger.start()
  await world.clock.advance(1)
  return { ledger, feeds }
}

/** The next process, a minute later. */
async function killed(world: World, log: Log): Promise<World> {
  log.kill()
  const next = createWorld()
  for (const [path, text] of world.disk) next.disk.set(path, text)
  await next.clock.advance(world.clock.monotonicMs() + 60_000)
  return next
}

const disk = (world: World): string => [...world.disk.values()].join('')

/** A stream that lacks the trades 11 to 13, which are being fetched. The log and the journal know it. */
async function withGap(world: World, log: Log, symbols: readonly string[] = ['A']) {
  const running = await boot(world, log, symbols)
  const A = running.feeds.A as FeedLedger
  A.tally.offer({ first: 10, last: 10 })
  A.heard(10, world.clock.nowUs())
  await world.clock.advance(1_500)
  A.tally.offer({ first: 14, last: 14 })
  const nowUs = world.clock.nowUs()
  const start = { cause: 'sequence_gap', startUs: nowUs, lastSequence: 10 } as const
  const gap = A.lose(start, { endUs: nowUs, firstSequence: 14, lost: 3 }, 'open')
  A.heard(14, nowUs)
  await world.clock.advance(100)
  log.bring(running.ledger)
  await world.clock.advance(2_000)
  log.bring(running.ledger)
  const giveUp = (): void => {
    A.tally.drop({ first: 11, last: 13 })
    A.resolve(gap.gap_id, { state: 'final', healed: 0, reason: 'gone' })
  }
  return { ...running, A, gap, giveUp }
}

describe('a kill right behind the end of a gap', () => {
  test('the next process ends it once more, and the stores hear of it', async () => {
    const world = createWorld()
    const log = new Log()
    const { gap, giveUp } = await withGap(world, log)
    giveUp()
    await world.clock.advance(0)
    expect(log.lastLsn).toBeGreaterThan(log.durableLsn)
    const next = await killed(world, log)
    const { ledger, feeds } = await boot(next, log, ['A'])
    expect([...(feeds.A?.healing ?? [])]).toEqual([gap])
    expect(feeds.A?.tally.missing).toEqual([{ first: 11, last: 13 }])
    feeds.A?.resolve(gap.gap_id, { state: 'final', healed: 0, reason: 'gone' })
    await next.clock.advance(0)
    log.bring(ledger)
    expect(log.stored.filter(({ gap_id }) => gap_id === gap.gap_id).map(({ state }) => state)).toEqual([
      'open',
      'final',
    ])
  })

  test('also if a turn was under way when it ended, and a beat comes first', async () => {
    const world = createWorld()
    const log = new Log()
    const { feeds, gap, giveUp } = await withGap(world, log, ['A', 'B'])
    world.clock.stall(2_000)
    feeds.B?.heard(7, world.clock.nowUs())
    giveUp()
    await world.clock.advance(0)
    const { feeds: next } = await boot(await killed(world, log), log, ['A'])
    expect([...(next.A?.healing ?? [])]).toEqual([gap])
    expect(next.A?.tally.missing).toEqual([{ first: 11, last: 13 }])
  })

  test('also if a fresh file is written in that moment', async () => {
    const world = createWorld()
    const log = new Log()
    const { gap } = await withGap(world, log)
    const next = await killed(world, log)
    const { ledger } = await boot(next, log, [])
    expect(ledger.gaps()[0]?.state).toBe('final')
    await settle()
    expect(disk(next)).not.toContain('"state":"final"')
    log.bring(ledger)
    await next.clock.advance(0)
    expect(disk(next)).toContain('"state":"final"')
    expect(log.stored.at(-1)).toMatchObject({ gap_id: gap.gap_id, state: 'final' })
  })
})

describe('without a log every revision of a gap is on disk before it leaves', () => {
  async function boot(world: World) {
    const { files, clock } = world
    const told: [Gap['state'], isOnDisk: boolean][] = []
    const emit = ({ id, state }: Gap) => void told.push([state, disk(world).includes(id)])
    const ledger = new Ledger({ folder: 'ledger', files, clock, emit, onProblem: () => {} })
    await ledger.load()
    const A = ledger.stream(stream('A'))
    ledger.open(A)
    const started = ledger.start()
    await world.clock.advance(1_000)
    await started
    return { ledger, A, told }
  }

  test('while it runs', async () => {
    const world = createWorld()
    const { ledger, A, told } = await boot(world)
    A.heard(1, world.clock.nowUs())
    A.begin({ cause: 'disconnect' })
    await world.clock.advance(0)
    A.end({ endUs: world.clock.nowUs() })
    ledger.flush()
    expect(told).toEqual([
      ['open', true],
      ['closed', true],
    ])
  })

  test('and while it starts, on a disk that is slow', async () => {
    const world = createWorld()
    const { A } = await boot(world)
    A.heard(1, world.clock.nowUs())
    await world.clock.advance(1_500)
    const next = await killed(world, new Log())
    const { replace } = next.files
    const slow = (path: string, text: string) => sleep(next.clock, 500).then(() => replace(path, text))
    Object.assign(next.files, { replace: slow })
    expect((await boot(next)).told).toEqual([['open', true]])
  })
})

test('a stream that was given up right before a kill leaves no gap open, also if only its end was written', async () => {
  const world = createWorld()
  const log = new Log()
  const { ledger, A, gap } = await withGap(world, log)
  A.begin({ cause: 'disconnect' })
  await world.clock.advance(0)
  log.bring(ledger)
  await world.clock.advance(500)
  const untilUs = world.clock.nowUs()
  ledger.retire(A, 'removed by a client')
  ledger.flush()
  const next = await killed(world, log)
  const { ledger: second } = await boot(next, log, [])
  expect(second.find(stream('A'))?.stretches).toMatchObject([{ untilUs }])
  log.bring(second)
  expect(log.stored.slice(-2)).toMatchObject([
    { cause: 'disconnect', state: 'final', end_time_us: untilUs },
    { gap_id: gap.gap_id, state: 'final', lost: 3 },
  ])
})

test('that the log does not take data is in the journal at once; how much it was, when the log has that', async () => {
  const world = createWorld()
  const log = new Log()
  const { ledger } = await withGap(world, log)
  const start = { cause: 'log_full', startUs: world.clock.nowUs(), reason: 'not taken' } as const
  ledger.lack(stream('A'), start, undefined)
  ledger.flush()
  expect(disk(world)).toContain('"cause":"log_full","state":"open"')
  await world.clock.advance(100)
  log.bring(ledger)
  ledger.lack(stream('A'), start, { endUs: world.clock.nowUs(), lost: 77 })
  ledger.flush()
  await world.clock.advance(0)
  expect(disk(world)).not.toContain('"lost":77')
  log.bring(ledger)
  expect(disk(world)).toContain('"lost":77')
})

import { describe, expect, test } from 'vitest'
import type { FeedLedger } from '../../src/ledger/feed-ledger.ts'
import { Journal } from '../../src/ledger/journal.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { LedgerOptions } from '../../src/ledger/ledger-options.ts'
import type { StreamIdentity } from '../../src/ledger/records.ts'
import { Tally } from '../../src/ledger/tally.ts'
import type { Channel, Gap } from '../../src/model/event.ts'
import { createWorld, type World } from '../helpers/world.ts'

const stream = (symbol: string, channel: Channel = 'trade'): StreamIdentity => ({
  exchange: 'x',
  venue: 'x',
  channel,
  symbol,
  market: 'spot',
  proof: 'counter',
})

interface Running {
  readonly ledger: Ledger
  readonly gaps: Gap[]
  readonly problems: (string | undefined)[]
  readonly feeds: Readonly<Record<string, FeedLedger>>
}

/** A process: reads what the one before left, and in the log what came after (`replay`); wants these symbols. */
async function boot(
  world: Pick<World, 'files' | 'clock'>,
  symbols: readonly string[],
  replay = (_ledger: Ledger) => {},
  log?: LedgerOptions['log'],
): Promise<Running> {
  const gaps: Gap[] = []
  const problems: (string | undefined)[] = []
  const ledger = new Ledger({
    folder: 'ledger',
    files: world.files,
    clock: world.clock,
    log,
    emit: (gap) => void gaps.push(gap),
    onProblem: (problem) => void problems.push(problem),
  })
  await ledger.load()
  replay(ledger)
  const feeds = Object.fromEntries(symbols.map((symbol) => [symbol, ledger.stream(stream(symbol))]))
  for (const feed of Object.values(feeds)) ledger.open(feed)
  await ledger.start()
  return { ledger, gaps, problems, feeds }
}

const SECOND_US = 1_000_000

describe('the ledger', () => {
  test('a gap leaves once it is on disk, and each revision under an id of its own', async () => {
    const world = createWorld()
    const { ledger, gaps, feeds } = await boot(world, ['A'])
    const { A } = feeds
    A?.heard(7, world.clock.nowUs())
    await world.clock.advance(500)
    A?.begin({ cause: 'disconnect' })
    expect(gaps).toEqual([])
    ledger.flush()
    expect([...world.disk.values()].join('')).toContain('"cause":"disconnect"')
    await world.clock.advance(2_000)
    A?.end({ endUs: world.clock.nowUs(), firstSequence: 9, lost: 1 }, 'open')
    A?.resolve(gaps[0]?.gap_id ?? '', { state: 'healed', healed: 1 })
    ledger.flush()
    expect(gaps.map(({ state, lost, healed }) => [state, lost, healed])).toEqual([
      ['open', undefined, undefined],
      ['open', 1, undefined],
      ['healed', 1, 1],
    ])
    expect(new Set(gaps.map(({ id }) => id)).size).toBe(3)
    expect(new Set(gaps.map(({ gap_id }) => gap_id)).size).toBe(1)
    expect(gaps.at(-1)).toMatchObject({ last_sequence: 7, first_sequence: 9 })
  })

  test('an outage that is open goes on, whatever else happens', async () => {
    const world = createWorld()
    const { ledger, gaps, feeds } = await boot(world, ['A'])
    feeds.A?.heard(1, world.clock.nowUs())
    feeds.A?.begin({ cause: 'silence' })
    feeds.A?.begin({ cause: 'disconnect' })
    ledger.flush()
    expect(gaps.map(({ cause }) => cause)).toEqual(['silence'])
  })

  test('a killed process leaves a gap since its last beat, at most a second old', async () => {
    const world = createWorld()
    const before = await boot(world, ['A', 'B', 'C'])
    before.feeds.A?.heard(1, world.clock.nowUs())
    before.feeds.B?.heard(2, world.clock.nowUs())
    await world.clock.advance(10_500)
    const killedUs = world.clock.nowUs()
    await world.clock.advance(0)
    const after = await boot(await killed(world), ['A', 'B'])
    expect(after.gaps.map(({ symbol, cause, state }) => [symbol, cause, state])).toEqual([
      ['A', 'process_down', 'open'],
      ['B', 'process_down', 'open'],
    ])
    for (const gap of after.gaps) expect(killedUs - gap.start_time_us).toBeLessThanOrEqual(SECOND_US)
    expect(after.feeds.A?.lastSequence).toBe(1)
  })

  test('a stream whose first data have left is known to the next process, however soon the kill comes', async () => {
    const world = createWorld()
    const { ledger, feeds } = await boot(world, ['A'])
    feeds.A?.heard(1, world.clock.nowUs())
    ledger.flush()
    const after = await boot(await killed(world), ['A'])
    expect(after.gaps).toMatchObject([{ symbol: 'A', cause: 'process_down' }])
  })

  test('a kill after the clock was set back leaves a gap from the last beat on, as that clock shows it', async () => {
    const world = createWorld()
    let aheadUs = 5 * SECOND_US
    const clock = { ...world.clock, nowUs: () => world.clock.nowUs() + aheadUs }
    const { feeds } = await boot({ files: world.files, clock }, ['A'])
    feeds.A?.heard(1, clock.nowUs())
    await world.clock.advance(3_000)
    aheadUs = 0
    feeds.A?.heard(2, clock.nowUs())
    await world.clock.advance(2_500)
    const after = await boot(await killed(world), ['A'])
    expect(after.feeds.A?.outage).toMatchObject({ cause: 'process_down', last_sequence: 2 })
    const agoUs = world.clock.nowUs() - (after.feeds.A?.outage?.start_time_us ?? 0)
    expect(agoUs).toBeGreaterThan(0)
    expect(agoUs).toBeLessThanOrEqual(SECOND_US)
  })

  test('after an orderly stop the gap is there already, and the next process ends it', async () => {
    const world = createWorld()
    const before = await boot(world, ['A'])
    before.feeds.A?.heard(1, world.clock.nowUs())
    before.ledger.stop()
    expect(before.gaps).toMatchObject([{ cause: 'shutdown', state: 'open' }])
    await world.clock.advance(60_000)
    const after = await boot(await killed(world), ['A'])
    after.feeds.A?.end({ endUs: world.clock.nowUs() })
    after.ledger.flush()
    expect(after.gaps).toMatchObject([
      { cause: 'shutdown', state: 'closed', gap_id: before.gaps[0]?.gap_id, end_time_us: world.clock.nowUs() },
    ])
  })

  test('an open gap and one that is being healed survive a kill', async () => {
    const world = createWorld()
    const before = await boot(world, ['A', 'B'])
    for (const feed of Object.values(before.feeds)) feed.heard(5, world.clock.nowUs())
    before.feeds.A?.begin({ cause: 'silence' })
    const end = { endUs: world.clock.nowUs(), firstSequence: 9, lost: 3 }
    before.feeds.B?.lose({ cause: 'sequence_gap', startUs: world.clock.nowUs(), lastSequence: 5 }, end, 'open')
    before.ledger.flush()
    const after = await boot(await killed(world), ['A', 'B'])
    expect(after.feeds.A?.outage).toMatchObject({ cause: 'silence' })
    expect([...(after.feeds.B?.healing ?? [])]).toMatchObject([{ cause: 'sequence_gap', lost: 3 }])
  })

  test('a stream that is not wanted any more ends with its open gaps', async () => {
    const world = createWorld()
    const before = await boot(world, ['A', 'B'])
    for (const feed of Object.values(before.feeds)) feed.heard(5, world.clock.nowUs())
    await world.clock.advance(2_000)
    const after = await boot(await killed(world), ['A'])
    const nowUs = world.clock.nowUs()
    expect(after.ledger.coverage(nowUs - SECOND_US, nowUs + SECOND_US).map((c) => c.stream.symbol)).toEqual(['A', 'B'])
    expect(after.ledger.coverage(nowUs + 1, nowUs + SECOND_US).map((c) => c.stream.symbol)).toEqual(['A'])
  })

  test('a killed process covered nothing after its end, also of a stream that is not wanted any more', async () => {
    const world = createWorld()
    const before = await boot(world, ['A'])
    before.feeds.A?.heard(5, world.clock.nowUs())
    await world.clock.advance(2_000)
    const next = await killed(world)
    await next.clock.advance(3_600_000)
    const { ledger, gaps } = await boot(next, [])
    expect(gaps.at(-1)).toMatchObject({ cause: 'process_down', state: 'final', end_time_us: next.clock.nowUs() })
    const [coverage] = ledger.coverage(world.clock.nowUs(), next.clock.nowUs())
    expect(coverage?.coveredShare).toBe(0)
  })

  test('torn and spoilt lines are left out and counted; the rest is there', async () => {
    const world = createWorld()
    const before = await boot(world, ['A'])
    before.feeds.A?.heard(5, world.clock.nowUs())
    before.feeds.A?.begin({ cause: 'silence' })
    before.ledger.flush()
    await world.clock.advance(3_000)
    for (const [path, text] of world.disk) {
      const lines = text.split('\n')
      const spoilt = lines.map((line) => (line.includes('"beat"') ? line.replace('"k"', '"q"') : line))
      world.disk.set(path, spoilt.join('\n').slice(0, -7))
    }
    const ledger = new Ledger({
      folder: 'ledger',
      files: world.files,
      clock: world.clock,
      emit: () => {},
      onProblem: () => {},
    })
    expect(await ledger.load()).toMatch(/^\d+ lines of the ledger could not be read/)
    expect(ledger.stream(stream('A')).outage).toMatchObject({ cause: 'silence' })
  })

  test('a journal that is cut anywhere is read up to there', async () => {
    const world = createWorld()
    const before = await boot(world, ['A'])
    before.feeds.A?.heard(5, world.clock.nowUs())
    before.feeds.A?.begin({ cause: 'silence' })
    before.feeds.A?.end({ endUs: world.clock.nowUs(), lost: 0 })
    before.ledger.flush()
    const [path, text] = [...world.disk].find(([, content]) => content.includes('silence')) ?? ['', '']
    for (let length = 0; length <= text.length; length += 7) {
      const cut = createWorld()
      cut.disk.set(path, text.slice(0, length))
      const { feeds } = await boot(cut, ['A'])
      expect(['silence', 'process_down', undefined]).toContain(feeds.A?.outage?.cause)
    }
  })

  test('a disk that fails: told, kept in memory, written when it works again', async () => {
    const world = createWorld()
    const disk = fillable(world)
    const { ledger, gaps, problems, feeds } = await boot(world, ['A'])
    feeds.A?.heard(5, world.clock.nowUs())
    disk.isFull = true
    feeds.A?.begin({ cause: 'disconnect' })
    ledger.flush()
    expect(gaps).toHaveLength(1)
    expect(problems).toEqual([expect.stringContaining('ENOSPC')])
    await world.clock.advance(20_000)
    disk.isFull = false
    await world.clock.advance(6_000)
    expect(problems.at(-1)).toBeUndefined()
    expect([...world.disk.values()].join('')).toContain('"cause":"disconnect"')
  })

  test('what a disk refused is written at the end, also when a new file is not there yet', async () => {
    const world = createWorld()
    const { append, replace } = world.files
    const disk = { isFull: false, isSlow: false }
    Object.assign(world.files, {
      append: (path: string) => {
        const file = append(path)
        const write = (text: string) => {
          if (disk.isFull) throw new Error('ENOSPC: no space left')
          file.append(text)
        }
        return { ...file, append: write }
      },
      replace: (path: string, text: string) => (disk.isSlow ? new Promise(() => {}) : replace(path, text)),
    })
    const { ledger, feeds, problems } = await boot(world, ['A'])
    feeds.A?.heard(5, world.clock.nowUs())
    Object.assign(disk, { isFull: true, isSlow: true })
    await world.clock.advance(2_000)
    expect(problems).toHaveLength(1)
    disk.isFull = false
    await world.clock.advance(6_000)
    ledger.stop()
    ledger.close()
    const { feeds: next } = await boot(await killed(world), ['A'])
    expect(next.A?.outage).toMatchObject({ cause: 'shutdown', last_sequence: 5 })
  })

  test('a journal that was never opened writes nothing at its end', async () => {
    const world = createWorld()
    const { clock, files } = world
    new Journal({
      folder: 'x',
      files,
      clock,
      picture: () => [{ k: 'beat' }],
      onProblem: () => {},
      untilProven: async () => {},
    }).close()
    expect(world.disk.size).toBe(0)
  })

  test('the file does not grow for ever', async () => {
    const world = createWorld()
    const { ledger, feeds } = await boot(world, ['A'])
    for (let i = 0; i < 20_000; i++) {
      feeds.A?.begin({ cause: 'disconnect', reason: 'x'.repeat(200) })
      feeds.A?.end({ endUs: world.clock.nowUs() })
      if (i % 100 === 0) ledger.flush()
      if (i % 1_000 === 0) await world.clock.advance(1)
    }
    await world.clock.advance(2_000)
    const bytes = [...world.disk.values()].reduce((sum, text) => sum + text.length, 0)
    expect(bytes).toBeLessThan(40_000_000)
    expect(ledger.gaps()).toHaveLength(20_000)
  })
})

test('numbers of before the venue counted anew are not taken for new ones by the next process', async () => {
  const world = createWorld()
  const { ledger, feeds } = await boot(world, ['A'])
  const feed = feeds.A as FeedLedger
  feed.tally.offer({ first: 90, last: 90 })
  feed.heard(90, world.clock.nowUs())
  await world.clock.advance(1_500)
  feed.tally = new Tally()
  feed.renumber(5)
  feed.tally.offer({ first: 80, last: 80 })
  feed.heard(80, world.clock.nowUs())
  ledger.flush()
  const next = await boot(await killed(world), ['A'])
  expect([next.feeds.A?.epoch, next.feeds.A?.tally.last]).toEqual([5, 80])
})

test('where a stream stands whose numbers fell is known to the next process, however soon the kill comes', async () => {
  const world = createWorld()
  const { ledger, feeds } = await boot(world, ['A'])
  feeds.A?.heard(900, world.clock.nowUs())
  await world.clock.advance(1_500)
  feeds.A?.heard(450, world.clock.nowUs())
  ledger.flush()
  const next = await boot(await killed(world), ['A'])
  expect(next.gaps).toMatchObject([{ cause: 'process_down', last_sequence: 450 }])
})

/** Its disk takes nothing while it is full. */
function fillable(world: World): { isFull: boolean } {
  const disk = { isFull: false }
  const { append, replace } = world.files
  const write = <Result>(action: () => Result): Result => {
    if (disk.isFull) throw new Error('ENOSPC: no space left')
    return action()
  }
  Object.assign(world.files, {
    append: (path: string) => {
      const file = write(() => append(path))
      return { ...file, append: (text: string) => write(() => file.append(text)) }
    },
    replace: async (path: string, text: string) => write(() => replace(path, text)),
  })
  return disk
}

/** The same disk, for the next process; the timers of the one before are gone. */
async function killed(world: World): Promise<World> {
  const next = createWorld()
  for (const [path, text] of world.disk) next.disk.set(path, text)
  await next.clock.advance((world.clock.nowUs() - next.clock.nowUs()) / 1000)
  return next
}

test('a stream that the venue lists again lacks what was traded meanwhile, and stands where it stood', async () => {
  const world = createWorld()
  const { ledger, gaps, feeds } = await boot(world, ['A'])
  const feed = feeds.A as FeedLedger
  feed.heard(7, world.clock.nowUs())
  await world.clock.advance(1_000)
  ledger.retire(feed, 'no longer listed')
  const retiredUs = world.clock.nowUs()
  await world.clock.advance(60_000)
  ledger.resume(feed)
  ledger.flush()
  expect(gaps).toMatchObject([{ cause: 'delisted', state: 'open', start_time_us: retiredUs, last_sequence: 7 }])
  expect(ledger.coverage(retiredUs, world.clock.nowUs())).toMatchObject([{ secondsLost: 60, coveredShare: 0 }])
})

test('that a stream was off the list is known to the next process, until it is not wanted any more', async () => {
  const world = createWorld()
  const first = await boot(world, ['A'])
  const feed = first.feeds.A as FeedLedger
  feed.heard(7, world.clock.nowUs())
  await world.clock.advance(1_000)
  first.ledger.retire(feed, 'no longer listed', true)
  first.ledger.flush()
  const second = await boot(await killed(world), ['A'])
  expect([second.feeds.A?.isOffList, second.feeds.A?.isCollected]).toEqual([true, false])
  second.ledger.stop()
  ;(await boot(world, [])).ledger.stop()
  expect((await boot(world, ['A'])).feeds.A?.isOffList).toBe(false)
})

test('a stream that the venue lists again stands where it stood, also behind two restarts', async () => {
  const world = createWorld()
  const first = await boot(world, ['A'])
  ;(first.feeds.A as FeedLedger).heard(7, world.clock.nowUs())
  await world.clock.advance(1_000)
  first.ledger.retire(first.feeds.A as FeedLedger, 'no longer listed')
  first.ledger.stop()
  const second = await boot(world, ['A'])
  await world.clock.advance(2_000)
  second.ledger.stop()
  const { ledger, gaps, feeds } = await boot(world, ['A'])
  ledger.resume(feeds.A as FeedLedger)
  ledger.flush()
  expect(gaps.at(-1)).toMatchObject({ cause: 'delisted', state: 'open', last_sequence: 7 })
})

test('of too many gaps the oldest of all streams go, not the newest of one that has few', async () => {
  const world = createWorld()
  const { ledger, feeds } = await boot(world, ['A', 'B'])
  for (const feed of Object.values(feeds)) feed.heard(5, world.clock.nowUs())
  for (let i = 0; i < 100_000; i++) feeds.A?.lose({ cause: 'sequence_gap', startUs: i }, { endUs: i })
  feeds.B?.begin({ cause: 'disconnect' })
  await world.clock.advance(10_000)
  expect(ledger.gaps()[0]).toMatchObject({ symbol: 'B', state: 'open' })
  feeds.B?.end({ endUs: world.clock.nowUs() })
  const kept = ledger.gaps()
  expect([kept.length, ledger.kept.evicted]).toEqual([100_000, 1])
  expect(kept[0]).toMatchObject({ symbol: 'B', cause: 'disconnect', state: 'closed' })
  expect(kept.at(-1)?.start_time_us).toBe(1)
})

describe('what the log tells behind the journal', () => {
  test('of a stream that was retired since does not revive it', async () => {
    const world = createWorld()
    const before = await boot(world, ['A'])
    const { A } = before.feeds
    const deliveredUs = world.clock.nowUs()
    A?.heard(5, deliveredUs)
    await world.clock.advance(100)
    before.ledger.retire(A as FeedLedger, 'removed by a client')
    before.ledger.flush()
    const next = await killed(world)
    await next.clock.advance(3_600_000)
    const { ledger } = await boot(next, [], (of) =>
      of.replay(stream('A'), { span: { first: 5, last: 5 }, receiveUs: deliveredUs }),
    )
    expect(ledger.find(stream('A'))?.stretches).toEqual([
      { fromUs: deliveredUs, untilUs: world.clock.nowUs(), proof: 'counter' },
    ])
  })

  test('of a gap ends with the stream, if nobody wants that any more and nothing else is known of it', async () => {
    const world = createWorld()
    const { gaps, feeds } = await boot(world, ['A'])
    feeds.A?.heard(5, world.clock.nowUs())
    feeds.A?.begin({ cause: 'silence' })
    await world.clock.advance(1_500)
    const open = gaps[0] as Gap
    const next = createWorld()
    const { ledger } = await boot(next, [], (of) => of.replay(stream('A'), open))
    expect(ledger.gaps()).toMatchObject([{ gap_id: open.gap_id, state: 'final' }])
  })

  test('of a gap is left out if a newer revision is known: a log that makes room tells old ones again', async () => {
    const world = createWorld()
    const before = await boot(world, ['A'])
    const A = before.feeds.A as FeedLedger
    const nowUs = world.clock.nowUs()
    A.tally.offer({ first: 10, last: 10 })
    A.heard(10, nowUs)
    A.tally.offer({ first: 14, last: 14 })
    const start = { cause: 'sequence_gap', startUs: nowUs, lastSequence: 10 } as const
    const open = A.lose(start, { endUs: nowUs, firstSequence: 14, lost: 3 }, 'open')
    A.tally.drop({ first: 11, last: 13 })
    A.resolve(open.gap_id, { state: 'final', healed: 1, reason: 'the venue does not have them' })
    before.ledger.flush()
    await world.clock.advance(1_500)
    const { ledger, feeds } = await boot(await killed(world), ['A'], (of) => of.replay(stream('A'), open))
    expect([...(feeds.A?.healing ?? [])]).toEqual([])
    expect(ledger.gaps().at(-1)).toMatchObject({ gap_id: open.gap_id, state: 'final', lost: 3, healed: 1 })
  })
})

describe('a venue that counts anew right before the process is killed', () => {
  const EPOCH = 7
  const traded = (number: number, epoch: number) => ({
    span: { first: number, last: number },
    epoch,
    receiveUs: 0,
    tradeUs: number,
  })

  /** It had 995 to 1000 but for 996 and 997, which it was fetching, and then 1 and 3 of the new numbers. */
  async function countedAnew(log?: LedgerOptions['log'], meanwhile = () => {}) {
    const world = createWorld()
    const { ledger, feeds, gaps } = await boot(world, ['A'], undefined, log)
    const A = feeds.A as FeedLedger
    const hear = (number: number) => {
      const { last = number - 1 } = A.tally
      A.tally.offer({ first: number, last: number })
      const start = { cause: 'sequence_gap', startUs: world.clock.nowUs(), lastSequence: last } as const
      const end = { endUs: world.clock.nowUs(), firstSequence: number, lost: number - last - 1 }
      const gap = number > last + 1 ? A.lose(start, end, 'open') : undefined
      A.heard(number, world.clock.nowUs())
      ledger.flush()
      return gap
    }
    hear(995)
    const gap = hear(998) as Gap
    await world.clock.advance(1_500)
    meanwhile()
    const old = await killed(world)
    for (const number of [999, 1000]) hear(number)
    A.resolve(gap.gap_id, { state: 'final', reason: 'the venue counts anew' })
    const nowUs = world.clock.nowUs()
    A.lose({ cause: 'sequence_reset', startUs: nowUs, lastSequence: 1000 }, { endUs: nowUs, firstSequence: 1 }, 'final')
    A.tally = new Tally()
    A.renumber(EPOCH)
    for (const number of [1, 3]) hear(number)
    const [open, given, reset, missing] = gaps as [Gap, Gap, Gap, Gap]
    const told = [
      ...[traded(995, 0), open, traded(998, 0), traded(999, 0), traded(1000, 0), given, reset],
      ...[traded(1, EPOCH), missing, traded(3, EPOCH)],
    ]
    return { old, now: await killed(world), told }
  }

  test.each([
    ['knows of the new numbers', 'now'],
    ['knows the old ones', 'old'],
  ] as const)('and the journal %s: the next process stands where the log does', async (_name, which) => {
    const { told, ...worlds } = await countedAnew()
    const { feeds } = await boot(worlds[which], ['A'], (of) => {
      for (const each of told) of.replay(stream('A'), each)
    })
    expect(feeds.A?.epoch).toBe(EPOCH)
    expect([feeds.A?.tally.last, feeds.A?.tally.missing]).toEqual([3, [{ first: 2, last: 2 }]])
    expect([...(feeds.A?.healing ?? [])]).toMatchObject([{ last_sequence: 1, first_sequence: 3 }])
  })

  test('and the log has nothing of it yet: the next process lacks the new numbers from the first on', async () => {
    const log = { lastLsn: 5, durableLsn: 5, quietIds: () => [], allIds: () => [] }
    const { now, told } = await countedAnew(log, () => {
      log.lastLsn = 9
    })
    const { feeds, gaps } = await boot(now, ['A'], (of) => {
      for (const each of told.slice(0, 5)) of.replay(stream('A'), each)
    })
    expect([feeds.A?.epoch, feeds.A?.tally.last, feeds.A?.tally.missing]).toEqual([EPOCH, 0, []])
    expect([...(feeds.A?.healing ?? [])]).toEqual([])
    expect(gaps).toMatchObject([
      { cause: 'sequence_gap', state: 'final', lost: 2 },
      { cause: 'process_down', last_sequence: 0 },
    ])
  })
})

test('what a sink refuses while it gets its last data is a gap too, though every stream has ended', async () => {
  const world = createWorld()
  const { ledger, gaps, feeds } = await boot(world, ['A'])
  const nowUs = world.clock.nowUs()
  feeds.A?.heard(5, nowUs)
  ledger.stop()
  feeds.A?.begin({ cause: 'disconnect' })
  ledger.lack(stream('A'), { cause: 'rejected', startUs: nowUs, reason: 'lake: no' }, { endUs: nowUs, lost: 1 })
  ledger.flush()
  ledger.close()
  expect(gaps.map(({ cause }) => cause)).toEqual(['shutdown', 'rejected'])
  const next = await boot(await killed(world), ['A'])
  expect(next.ledger.gaps().map(({ cause }) => cause)).toContain('rejected')
})

test('what the log did not take when the process was killed is a gap of its own until then, and no outage of the stream', async () => {
  const world = createWorld()
  const { ledger, feeds } = await boot(world, ['A', 'B'])
  for (const feed of Object.values(feeds)) feed.heard(5, world.clock.nowUs())
  const startUs = world.clock.nowUs()
  await world.clock.advance(4_500)
  ledger.lack(stream('A'), { cause: 'log_full', startUs, reason: 'not taken' }, undefined)
  ledger.flush()
  const beatUs = world.clock.nowUs() - 0.5 * SECOND_US
  const next = await killed(world)
  await next.clock.advance(60_000)
  const { gaps, feeds: after } = await boot(next, ['A'])
  expect(gaps.map(({ symbol, cause, state }) => [symbol, cause, state]).toSorted()).toEqual(
    [
      ['A', 'log_full', 'final'],
      ['A', 'process_down', 'open'],
      ['B', 'process_down', 'open'],
      ['B', 'process_down', 'final'],
    ].toSorted(),
  )
  const full = gaps.find(({ cause }) => cause === 'log_full')
  expect([full?.start_time_us, full?.end_time_us, full?.lost]).toEqual([startUs, beatUs, undefined])
  expect(full?.id.endsWith(':2')).toBe(true)
  expect(after.A?.outage?.cause).toBe('process_down')
})

/** Holds what the service delivered and recorded against what was published. Believes no id of the service. */

import type { Consumer, Delivered, FeedCoverage, GapRecord } from './consumer.ts'
import type { Fact, Stream } from './market.ts'

const timeUs = (iso: string): number => Date.parse(`${iso.slice(0, 19)}Z`) * 1000 + Number(iso.slice(20, 26))

export interface Case {
  readonly streams: readonly Stream[]
  readonly delivered: readonly Delivered[]
  readonly gaps: readonly GapRecord[]
  /** Facts in between count. */
  readonly sinceUs: number
  readonly untilUs: number
  /** How exact times have to be. */
  readonly slackUs: number
  /** Windows before a process was killed in which it may have delivered what the next one delivers again. */
  readonly untold?: readonly (readonly [fromUs: number, untilUs: number])[]
}

/** Which facts an event carries. */
export function keysOf(event: Delivered): string[] {
  switch (event.type) {
    case 'trade': {
      if (event.venue === 'deribit') return [`${event.price}#${event.sequence}`]
      if (event.venue !== 'okx' || event.first_trade_id === undefined) return [`${event.price}#${event.trade_id}`]
      const [first, last] = [Number(event.first_trade_id), Number(event.last_trade_id)]
      return Array.from({ length: last - first + 1 }, (_, i) => `${event.price}#${first + i}`)
    }
    case 'ticker':
      return [event.last_price]
    case 'quote':
      return [event.bid_price]
    case 'book_delta':
      return [event.bids[0][1]]
  }
  return []
}

const CHANNEL: Readonly<Record<string, string>> = {
  trade: 'trade',
  ticker: 'ticker',
  quote: 'quote',
  book_delta: 'book',
  book_snapshot: 'book',
}

const nameOf = (event: Delivered): string => `${event.venue} ${CHANNEL[event.type]} ${event.symbol}`
const gapName = (gap: { venue: string; channel: string; symbol: string }): string =>
  `${gap.venue} ${gap.channel} ${gap.symbol}`

interface Sorted {
  length: number
  readonly events: Map<string, Delivered[]>
  readonly counts: Map<string, Map<string, number>>
}

const known = new WeakMap<readonly Delivered[], Sorted>()

/** Events of each stream, and how often each fact came. */
function sorted(delivered: readonly Delivered[]): Sorted {
  const all = known.get(delivered) ?? { length: 0, events: new Map(), counts: new Map() }
  known.set(delivered, all)
  const { events, counts } = all
  for (const event of delivered.slice(all.length)) {
    if (CHANNEL[event.type] === undefined) continue
    const name = nameOf(event)
    if (!events.has(name)) {
      events.set(name, [])
      counts.set(name, new Map())
    }
    events.get(name)?.push(event)
    const count = counts.get(name) as Map<string, number>
    for (const key of keysOf(event)) count.set(key, (count.get(key) ?? 0) + 1)
  }
  all.length = delivered.length
  return all
}

/** Nothing is missing in it, or so it says. */
export const isWhole = ({ state, lost }: GapRecord): boolean => state === 'healed' || (state === 'closed' && lost === 0)

function covers(gap: GapRecord, { atUs, number }: Fact, stream: Stream, slackUs: number): boolean {
  if (isWhole(gap)) return false
  const end = gap.end_time === null ? Number.POSITIVE_INFINITY : timeUs(gap.end_time)
  if (atUs < timeUs(gap.start_time) - slackUs || atUs > end + slackUs) return false
  return number === undefined || isBetween(gap, number, stream)
}

function isBetween(
  { last_sequence: last, first_sequence: first }: GapRecord,
  number: number,
  { kind }: Stream,
): boolean {
  const isAfter = last === null || number > last
  // A snapshot stands for the changes up to and with its own number.
  const isBefore = first === null || (kind === 'book' ? number <= first : number < first)
  const isReset = last !== null && first !== null && first <= last
  return isReset ? isAfter || isBefore : isAfter && isBefore
}

/** Facts that were published and never delivered. */
export function lostOf(stream: Stream, { delivered, sinceUs, untilUs }: Case): Fact[] {
  const { counts } = sorted(delivered)
  const count = counts.get(stream.name) ?? new Map<string, number>()
  return stream.facts.filter(({ key, atUs }) => atUs >= sinceUs && atUs <= untilUs && !count.has(key))
}

/** Everything that is wrong, in words; empty when every fact was delivered once or lies in a gap, and nothing else was. */
export function problems(found: Case): string[] {
  const { streams, delivered, gaps, sinceUs, untilUs, slackUs, untold = [] } = found
  const { events, counts } = sorted(delivered)
  return streams.flatMap((stream) => {
    const { name } = stream
    const count = counts.get(name) ?? new Map<string, number>()
    const facts = new Map(stream.facts.map(({ key, atUs }) => [key, atUs]))
    const isUntold = (atUs = 0) => untold.some(([fromUs, toUs]) => atUs >= fromUs && atUs <= toUs)
    const own = gaps.filter((gap) => gapName(gap) === name)
    const silent = stream.facts
      .filter(({ key, atUs }) => atUs >= sinceUs && atUs <= untilUs && !count.has(key))
      .filter((fact) => !own.some((gap) => covers(gap, fact, stream, slackUs)))
    const double = [...count].filter(([key, times]) => times > 1 && !isUntold(facts.get(key)))
    const invented = [...count.keys()].filter((key) => !facts.has(key))
    const inside = own.flatMap((gap) => untight(gap, events.get(name) ?? [], slackUs))
    const say = (what: string, list: readonly unknown[], some: unknown) =>
      list.length === 0 ? [] : [`${name}: ${list.length} ${what}: ${JSON.stringify(some)}`]
    const near = own.map((gap) => [
      gap.cause,
      gap.state,
      gap.start_time.slice(11, 23),
      gap.end_time?.slice(11, 23),
      gap.last_sequence,
      gap.first_sequence,
      gap.lost,
      gap.healed,
    ])
    return [
      ...say('lost without a gap', silent, [silent.slice(0, 2).map(told), silent.slice(-1).map(told), near]),
      ...say('delivered twice', double, double.slice(0, 3)),
      ...say('never published', invented, invented.slice(0, 3)),
      ...say('events inside a gap', inside, inside.slice(0, 2)),
    ]
  })
}

const told = ({ key, atUs, number }: Fact) =>
  `${key} at ${new Date(atUs / 1000).toISOString().slice(11, 23)} no ${number}`

/** A killed process was last known to live at its last beat. */
const BEAT_US = 1_200_000

/** Times are tight: nothing of the stream was received inside a gap. */
function untight(gap: GapRecord, events: readonly Delivered[], slackUs: number): string[] {
  const [from, to] = [
    timeUs(gap.start_time) + (gap.cause === 'process_down' ? BEAT_US : slackUs),
    gap.end_time === null ? Number.POSITIVE_INFINITY : timeUs(gap.end_time) - slackUs,
  ]
  const inside = events.filter(({ receive_time_us: at, source }) => source !== 'backfill' && at > from && at < to)
  return inside.length === 0
    ? []
    : [
        `${gap.gap_id} ${gap.cause} ${gap.state} ${gap.start_time}..${gap.end_time}: ${inside.length}, first ${JSON.stringify(keysOf(inside[0] as Delivered))} at ${inside[0]?.receive_time_us}`,
      ]
}

/** Gaps that say that something is missing where nothing is. */
export function falseAlarms(found: Case): string[] {
  return found.gaps.flatMap((gap) => {
    const stream = found.streams.find(({ name }) => name === gapName(gap))
    if (stream === undefined || isWhole(gap) || timeUs(gap.end_time ?? gap.start_time) < found.sinceUs) return []
    const isRight = lostOf(stream, found).some((fact) => covers(gap, fact, stream, found.slackUs))
    return isRight
      ? []
      : [`${gapName(gap)}: ${gap.cause} ${gap.state} ${gap.start_time}..${gap.end_time} lost ${gap.lost} ${gap.reason}`]
  })
}

const isWithin = ({ last_sequence: last, first_sequence: first }: GapRecord, whole: GapRecord): boolean =>
  last !== null &&
  first !== null &&
  last < first &&
  last >= Number(whole.last_sequence) &&
  first <= Number(whole.first_sequence)

/** Counts of trade gaps that are not those of the truth. */
export function miscounts(found: Case): string[] {
  const { counts } = sorted(found.delivered)
  return found.gaps.flatMap((gap) => {
    const stream = found.streams.find(({ name }) => name === gapName(gap))
    const { last_sequence: last, first_sequence: first, lost } = gap
    if (stream?.kind !== 'trade' || lost === null || last === null || first === null || gap.state === 'open') return []
    // What was found to be missing before is counted there.
    const within = found.gaps.filter((other) => other !== gap && gapName(other) === stream.name && isWithin(other, gap))
    const inside = stream.facts.filter(
      ({ number = 0 }) => number > last && number < first && !within.some((other) => isBetween(other, number, stream)),
    )
    const arrived = inside.filter(({ key }) => counts.get(stream.name)?.has(key))
    const want = [inside.length, arrived.length]
    const have = [lost, lost === 0 ? 0 : gap.healed]
    return String(want) === String(have)
      ? []
      : [`${gapName(gap)} (${last}..${first}): lost and healed ${have}, in truth ${want}`]
  })
}

/** The completeness against gaps and truth. */
export function incompleteness(found: Case, feeds: readonly FeedCoverage[]): string[] {
  return found.streams.flatMap((stream) => {
    const feed = feeds.find((each) => gapName(each) === stream.name)
    if (feed === undefined) return [`${stream.name}: not in the answer`]
    const [fromUs, toUs] = [timeUs(feed.start), timeUs(feed.end)]
    const own = found.gaps.filter((gap) => gapName(gap) === stream.name && !isWhole(gap))
    const holes = own.map(
      (gap) => [timeUs(gap.start_time), gap.end_time === null ? toUs : timeUs(gap.end_time)] as const,
    )
    const lostUs = unionUs(holes.map(([a, b]) => [Math.max(a, fromUs), Math.min(b, toUs)] as const))
    const share = 1 - lostUs / (toUs - fromUs)
    const lost = lostOf(stream, { ...found, sinceUs: Math.max(found.sinceUs, fromUs) })
    const spreadUs = spread(stream, lost)
    const wrong: string[] = []
    if (Math.abs(feed.seconds_lost - lostUs / 1e6) > found.slackUs / 1e6)
      wrong.push(`seconds lost ${feed.seconds_lost}, gaps say ${lostUs / 1e6}`)
    if (Math.abs(feed.covered_share - share) > 0.01) wrong.push(`covered ${feed.covered_share}, gaps say ${share}`)
    if (feed.seconds_lost * 1e6 < spreadUs - found.slackUs)
      wrong.push(`seconds lost ${feed.seconds_lost}, the truth ${spreadUs / 1e6}`)
    // Across a restart of the numbering nobody can count.
    const isCounted = stream.kind === 'trade' && own.every((gap) => gap.lost !== null)
    if (isCounted && feed.ids_lost !== lost.length) wrong.push(`ids lost ${feed.ids_lost}, the truth ${lost.length}`)
    if (lost.length > 0 && feed.covered_share === 1) wrong.push('covered, and something is lost')
    return wrong.map((what) => `${stream.name}: ${what}`)
  })
}

/** Time between the first and the last of neighbouring lost facts. */
function spread(stream: Stream, lost: readonly Fact[]): number {
  const isLost = new Set(lost)
  let sumUs = 0
  for (const [i, fact] of stream.facts.entries()) {
    const before = stream.facts[i - 1]
    if (isLost.has(fact) && before !== undefined && isLost.has(before)) sumUs += fact.atUs - before.atUs
  }
  return sumUs
}

function unionUs(intervals: readonly (readonly [number, number])[]): number {
  let sumUs = 0
  let reachedUs = 0
  for (const [from, to] of [...intervals].sort(([a], [b]) => a - b)) {
    sumUs += Math.max(0, to - Math.max(from, reachedUs))
    reachedUs = Math.max(reachedUs, to)
  }
  return sumUs
}

/** Books that are not live, or live and not the truth. */
export async function wrongBooks(streams: readonly Stream[], consumer: Consumer): Promise<string[]> {
  const wrong: string[] = []
  for (const stream of streams.filter(({ kind }) => kind === 'book')) {
    const book = await consumer.get(`/api/v1/orderbook/${stream.venue}/${stream.symbol}?depth=20`)
    const truth = stream.states.findLast(({ last }) => last === book.sequence)
    const levels = (side: readonly (readonly string[])[]) =>
      JSON.stringify(side.map(([price, quantity]) => [Number(price), Number(quantity)]))
    if (book.state !== 'live') wrong.push(`${stream.name}: ${book.state}`)
    else if (truth === undefined)
      wrong.push(`${stream.name}: no such sequence ${book.sequence}, the truth is at ${stream.number}`)
    else if (levels(book.bids) !== levels(truth.bids) || levels(book.asks) !== levels(truth.asks))
      wrong.push(`${stream.name}: levels at ${book.sequence}: ${levels(book.bids)}, in truth ${levels(truth.bids)}`)
  }
  return wrong
}

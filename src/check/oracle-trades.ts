/** Every trade of the true market is delivered exactly once, or lies in a recorded gap; a hole is explained before what follows. */

import type { EpochUs, Gap, Trade } from '../model/event.ts'
import { touches } from './oracle-causes.ts'
import { DiskTrouble } from './oracle-disk.ts'
import { type GapRecord, missingIn, toldBy } from './oracle-gaps.ts'
import { type Court, type Entry, isProcessGap, type Judge, millis } from './oracle-judge.ts'
import { countOf, type Deliveries, rangeText, without } from './oracle-numbers.ts'
import type { Numbers } from './oracle-promises.ts'
import type { Stream } from './oracle-streams.ts'

/** Numbers that were jumped over, and no gap said so. */
interface Hole extends Numbers {
  readonly atUs: EpochUs
}

/** What of `part` no gap of the stream speaks of. */
export const outsideGaps = ({ gaps }: Stream, { first, last }: Numbers): Numbers[] =>
  [...gaps.values()].reduce<Numbers[]>((parts, { latest }) => without(parts, toldBy(latest)), [{ first, last }])

export function judgeTrades({ streams, options, report }: Court): Judge {
  const holes = new Map<Stream, Hole[]>()
  const unknown = new Map<Stream, Numbers[]>()
  const disk = new DiskTrouble(options)
  /** The process that ended last had told no disk of them. */
  const unheardOf = new Set<Stream>()
  /** Times that the process did not live through: it stood still, or the clock left them out. */
  const leaps: { readonly fromUs: EpochUs; readonly untilUs: EpochUs }[] = []
  /** Until then nobody can say whether the disk knew. */
  let doubtUs = 0
  /** The newest fetched trade of each stream, and when it left. */
  const fetched = new Map<Stream, { readonly atUs: EpochUs; readonly first: number }>()

  /** What leaves in one instant came in one answer. */
  function judgeOrder(stream: Stream, { first }: Numbers): void {
    const before = fetched.get(stream)
    fetched.set(stream, { atUs: streams.clockUs, first })
    if (before?.atUs === streams.clockUs && before.first > first)
      report('backfill_disordered', streams.nowUs, stream, `${first} left behind ${before.first}`)
  }

  function deliver(stream: Stream, { id }: Trade, numbers: Numbers, counters: Numbers): void {
    const { deliveries } = stream
    const { top, newest = numbers.last, truth } = deliveries
    if (numbers.last > (truth ?? 0)) {
      report('trade_unknown', streams.nowUs, stream, `${rangeText(numbers)}; the newest is ${truth ?? 'none'}`)
      return
    }
    const again = judgeRepeat(deliveries, id, counters, streams.kills) ?? judgeOld(deliveries, counters)
    const isTold =
      again?.promise === 'trade_renamed' && (isInDoubt(stream, counters, streams.kills) || isHidden(stream, counters))
    if (again !== undefined && !isTold) report(again.promise, streams.nowUs, stream, again.text)
    deliveries.add({ id, kills: streams.kills, atUs: streams.nowUs, ...counters })
    deliveries.newest = Math.max(newest, numbers.last)
    if (top === undefined || counters.first <= top) return
    if (counters.first > top + 1) jump(stream, { first: top + 1, last: counters.first - 1 })
    else if (numbers.first > newest + 1) {
      const lost = rangeText({ first: newest + 1, last: numbers.first - 1 })
      report('trade_missing_outside_gap', streams.nowUs, stream, `trades ${lost} are missing between ${top} and ${id}`)
    }
  }

  /** The disk had not taken that they had left. */
  const isHidden = ({ deliveries }: Stream, span: Numbers): boolean =>
    (deliveries.earlier(span) ?? []).some(({ kills, atUs }) => {
      const endedUs = streams.killsUs[kills]
      return endedUs !== undefined && disk.hasHidden(atUs, endedUs)
    })

  /** What left long before a kill was known to the next process. */
  function judgeOld(deliveries: Deliveries, span: Numbers) {
    const old = (deliveries.earlier(span) ?? []).find(({ kills, atUs }) => {
      const endedUs = streams.killsUs[kills]
      return endedUs !== undefined && atUs > doubtUs && atUs < endedUs - options.processUs
    })
    if (old === undefined) return undefined
    const text = `trades ${rangeText(span)} again, which had left ${millis((streams.killsUs[old.kills] ?? 0) - old.atUs)} before the kill`
    return { promise: 'trade_duplicate', text } as const
  }

  /** What the disk did not take of where the stream stood the next process cannot know; its gap has the time alone. */
  function isUnknown(stream: Stream, { first }: Numbers): boolean {
    const before = stream.deliveries.endingAt(first - 1)
    if (before === undefined || before.kills === streams.kills || before.atUs > doubtUs) return false
    const isTimeAlone = ({ latest }: GapRecord) => isProcessGap(latest) && latest.last_sequence === undefined
    return unheardOf.has(stream) || [...stream.gaps.values()].some(isTimeAlone)
  }

  function jump(stream: Stream, jumped: Numbers): void {
    if (outsideGaps(stream, jumped).length === 0) return
    if (isUnknown(stream, jumped)) {
      unknown.set(stream, [...(unknown.get(stream) ?? []), jumped])
      return
    }
    holes.set(stream, [...(holes.get(stream) ?? []), { ...jumped, atUs: streams.nowUs }])
  }

  function finish(stream: Stream): void {
    const { deliveries } = stream
    const { first, top } = deliveries
    if (first === undefined || top === undefined) return
    const unexplained = holes.get(stream) ?? []
    const outside = (unknown.get(stream) ?? []).reduce<Numbers[]>(
      without,
      deliveries.missing({ first, last: top }).flatMap((part) => outsideGaps(stream, part)),
    )
    for (const part of outside) {
      const hole = unexplained.find((each) => each.first <= part.last && part.first <= each.last)
      report('trade_missing_outside_gap', hole?.atUs ?? streams.nowUs, stream, `trades ${rangeText(part)} are missing`)
    }
    for (const hole of unexplained) {
      if (outside.every((part) => part.last < hole.first || hole.last < part.first))
        report('data_before_gap', hole.atUs, stream, `trades ${rangeText(hole)} were jumped over without a gap record`)
    }
    finishEnd(stream, top)
  }

  /** What was made until then has had time to be found by the end. */
  const settledUs = (): EpochUs =>
    leaps.reduceRight(
      (atUs, { fromUs, untilUs }) => (atUs < untilUs ? atUs - (untilUs - fromUs) : atUs),
      streams.nowUs - options.settleUs,
    )

  /** The newest trades of the market were delivered, or a gap behind the newest delivered one says that they were not. */
  function finishEnd(stream: Stream, top: number): void {
    const { deliveries } = stream
    const last = quietTruth(deliveries, settledUs())
    const { newest } = deliveries
    if (last === undefined || newest === undefined || last <= newest) return
    if (outsideGaps(stream, { first: top + 1, last: top + 1 }).length === 0) return
    const text = `trades ${rangeText({ first: newest + 1, last })} are missing`
    report('trade_missing_outside_gap', streams.nowUs, stream, text)
  }

  return {
    fault(entry) {
      const { fault, atUs, untilUs = atUs } = entry
      disk.fault(entry)
      if (options.timeFaults.test(fault)) {
        doubtUs = Math.max(doubtUs, untilUs)
        if (untilUs > atUs) leaps.push({ fromUs: atUs, untilUs })
      } else if (options.diskFaults.test(fault)) doubtUs = Math.max(doubtUs, untilUs + options.detectionUs)
    },
    process({ state, atUs }) {
      if (state === 'started') return
      unheardOf.clear()
      for (const stream of streams.all()) if (disk.isUnheardOf(stream, atUs)) unheardOf.add(stream)
    },
    traded({ venue, symbol, last, atUs }) {
      const { deliveries } = streams.of({ venue, channel: 'trade', symbol })
      deliveries.young.push({ atUs, before: deliveries.truth })
      const leaptUs = leaps.reduce((sum, { fromUs, untilUs }) => sum + untilUs - fromUs, 0)
      const keptUs = Math.max(options.settleUs, options.unfoundUs) + leaptUs
      while ((deliveries.young[0]?.atUs ?? atUs) < atUs - keptUs) deliveries.young.shift()
      deliveries.truth = last
    },
    data(stream, event) {
      if (event.type !== 'trade') return
      const numbers = options.numbersOf(event)
      const counters = options.countersOf(event)
      if (numbers === undefined || counters === undefined) return
      const { past } = stream
      if ((event.exchange_time_us ?? past.untilUs) < past.untilUs) return
      // Without the old number nobody can tell that the new one is lower.
      if (past.ids.has(event.id) && !unheardOf.has(stream))
        report(
          'trade_duplicate',
          streams.nowUs,
          stream,
          `${event.id} is the id of a trade before the numbering began anew`,
        )
      if (event.source === 'backfill') judgeOrder(stream, counters)
      deliver(stream, event, numbers, counters)
    },
    renumbered(stream) {
      holes.delete(stream)
      fetched.delete(stream)
    },
    gap({ record: { stream }, event }) {
      const unexplained = holes.get(stream)
      if (unexplained === undefined) return
      const told = missingIn(event)
      const rest = unexplained.filter((hole) => hole.first < told.first || hole.last > told.last)
      for (const hole of unexplained.filter((each) => !rest.includes(each)))
        report('data_before_gap', hole.atUs, stream, `gap ${event.gap_id} came after the trades behind it`)
      holes.set(stream, rest)
    },
    finish() {
      for (const stream of streams.all()) if (stream.channel === 'trade') finish(stream)
    },
  }
}

/**
 * The killed process could not tell the next one that these had left, and the gap of the kill says so, or an older one
 * whose end the disk had not taken: it goes on. Of a symbol that was not listed any more the gap for that goes on from there.
 */
const isInDoubt = ({ gaps }: Stream, span: Numbers, kills: number): boolean =>
  [...gaps.values()].some(({ latest, revertedKills }) => {
    const { first, last } = missingIn(latest)
    const isOfKill = latest.cause === 'process_down' || latest.cause === 'delisted' || revertedKills === kills
    return isOfKill && first <= span.first && span.last <= last
  })

function judgeRepeat(deliveries: Deliveries, id: string, span: Numbers, kills: number) {
  const earlier = deliveries.earlier(span)
  if (earlier === undefined) return undefined
  const isSameProcess = earlier.some((each) => each.kills === kills) || (earlier.length === 0 && kills === 0)
  const others = [...new Set(earlier.map((each) => each.id).filter((each) => each !== id))]
  const text = `trades ${rangeText(span)} again as ${id}${others.length === 0 ? '' : `, before as ${others.join(', ')}`}`
  if (isSameProcess) return { promise: 'trade_duplicate', text } as const
  return others.length > 0 ? ({ promise: 'trade_renamed', text } as const) : undefined
}

/** The newest trade of the market that is old enough to have arrived. */
export function quietTruth({ young, truth }: Deliveries, untilUs: EpochUs): number | undefined {
  const first = young.find(({ atUs }) => atUs > untilUs)
  return first === undefined ? truth : first.before
}

/** A gap that is called healed is; one that is given up could not be healed. */
export function judgeHealing({ streams, options, report }: Court): Judge {
  /** By venue: until when past trades could not be fetched. */
  const unreachableUs = new Map<string | undefined, EpochUs>()
  const givenUp = new Set<Stream>()
  const unlisted: Entry<'fault'>[] = []
  /** Since when the numbers of gaps are those of the trades; not while the process has not read any of them. */
  const renumberedUs = new Map<Stream, EpochUs>()
  /** The first number since the venue counted anew, of trades before which it has nothing; `undefined`: none was made yet. */
  const firsts = new Map<Stream, number | undefined>()
  let stalledUntilUs = 0
  const isOfBefore = (stream: Stream, { detected_time_us: foundUs }: Gap): boolean =>
    foundUs <= (renumberedUs.get(stream) ?? 0) + options.detectionUs

  /** Trades that did not leave count as one each, so that it is rather too few. */
  const kept = (stream: Stream, parts: readonly Numbers[]): Numbers[] => {
    const { top = 0, truth = 0, newest = truth } = stream.deliveries
    const oldest = Math.max(firsts.get(stream) ?? 0, top + Math.max(0, truth - newest) - options.tradesKept + 1)
    return parts.flatMap(({ first, last }) => (last < oldest ? [] : [{ first: Math.max(first, oldest), last }]))
  }

  /** Of what a venue does not list it tells nothing. */
  const isUnlisted = (stream: Stream): boolean =>
    unlisted.some((fault) => touches(fault, stream) && (fault.untilUs ?? fault.atUs) >= streams.nowUs)

  const isReachable = ({ venue }: Stream): boolean =>
    Math.max(unreachableUs.get(venue) ?? 0, unreachableUs.get(undefined) ?? 0) + options.detectionUs < streams.nowUs

  function stall(atUs: EpochUs, untilUs = atUs): void {
    stalledUntilUs = Math.max(stalledUntilUs, untilUs)
    for (const [stream, sinceUs] of renumberedUs)
      if (sinceUs + options.detectionUs >= atUs) renumberedUs.set(stream, Math.max(sinceUs, untilUs))
  }

  return {
    renumbered(stream) {
      renumberedUs.set(stream, Math.max(streams.nowUs, stalledUntilUs))
      firsts.set(stream, undefined)
    },
    traded({ venue, symbol, first }) {
      const stream = streams.of({ venue, channel: 'trade', symbol })
      if (firsts.has(stream) && firsts.get(stream) === undefined) firsts.set(stream, first)
    },
    fault(entry) {
      const { fault, venue, atUs, untilUs } = entry
      if (options.stallFaults.test(fault)) stall(atUs, untilUs)
      if (options.unlistedFaults.test(fault)) unlisted.push(entry)
      if (!options.restFaults.test(fault)) return
      unreachableUs.set(venue, Math.max(unreachableUs.get(venue) ?? 0, untilUs ?? atUs))
    },
    gap({ record: { stream }, event }) {
      if (stream.channel !== 'trade' || event.state === 'open' || isOfBefore(stream, event)) return
      const missing = stream.deliveries.missing(missingIn(event))
      const text = `${countOf(missing)} trades are missing in gap ${event.gap_id}`
      if (event.state === 'healed' && missing.length > 0) report('healed_untrue', streams.nowUs, stream, text)
      if (event.state === 'closed' && missing.length > 0)
        report('trade_not_healed', streams.nowUs, stream, `${text}, which is closed`)
      if (event.state !== 'final' || isUnlisted(stream)) return
      const fetchable = kept(stream, missing)
      if (fetchable.length === 0) return
      if (isReachable(stream))
        report('trade_not_healed', streams.nowUs, stream, `${text}; the venue had ${countOf(fetchable)} of them`)
      else givenUp.add(stream)
    },
    finish() {
      for (const stream of givenUp) {
        const missing = [...stream.gaps.values()]
          .filter(({ latest }) => latest.state === 'final' && !isOfBefore(stream, latest))
          .flatMap(({ latest }) => kept(stream, stream.deliveries.missing(missingIn(latest))))
        if (missing.length > 0 && isReachable(stream))
          report('trade_not_healed', streams.nowUs, stream, `${countOf(missing)} trades can still be fetched`)
      }
    },
  }
}

/** Every trade of the true market is delivered exactly once, or lies in a recorded gap; a hole is explained before what follows. */

import type { EpochUs, Trade } from '../model/event.ts'
import { missingIn } from './oracle-gaps.ts'
import type { Court, Judge } from './oracle-judge.ts'
import { countOf, type Deliveries, rangeText, without } from './oracle-numbers.ts'
import type { Numbers } from './oracle-promises.ts'
import type { Stream } from './oracle-streams.ts'

/** Numbers that were jumped over, and no gap said so. */
interface Hole extends Numbers {
  readonly atUs: EpochUs
}

export function judgeTrades({ streams, options, report }: Court): Judge {
  const holes = new Map<Stream, Hole[]>()
  /** The newest fetched trade of each stream, and when it left. */
  const fetched = new Map<Stream, { readonly atUs: EpochUs; readonly first: number }>()

  /** What leaves in one instant came in one answer. */
  function judgeOrder(stream: Stream, { first }: Numbers): void {
    const before = fetched.get(stream)
    fetched.set(stream, { atUs: streams.nowUs, first })
    if (before?.atUs === streams.nowUs && before.first > first)
      report('backfill_disordered', streams.nowUs, stream, `${first} left behind ${before.first}`)
  }

  /** What of `part` no gap of the stream speaks of. */
  const outsideGaps = (stream: Stream, part: Numbers): Numbers[] => {
    let parts: Numbers[] = [{ first: part.first, last: part.last }]
    for (const { latest } of stream.gaps.values()) parts = without(parts, missingIn(latest))
    return parts
  }

  function deliver(stream: Stream, { id }: Trade, numbers: Numbers, counters: Numbers): void {
    const { deliveries } = stream
    const { top, newest = numbers.last, truth } = deliveries
    if (numbers.last > (truth ?? 0)) {
      report('trade_unknown', streams.nowUs, stream, `${rangeText(numbers)}; the newest is ${truth ?? 'none'}`)
      return
    }
    const again = judgeRepeat(deliveries, id, counters, streams.kills)
    const isTold = again?.promise === 'trade_renamed' && isInDoubt(stream, counters)
    if (again !== undefined && !isTold) report(again.promise, streams.nowUs, stream, again.text)
    deliveries.add({ id, kills: streams.kills, ...counters })
    deliveries.newest = Math.max(newest, numbers.last)
    if (top === undefined || counters.first <= top) return
    if (counters.first > top + 1) jump(stream, { first: top + 1, last: counters.first - 1 })
    else if (numbers.first > newest + 1) {
      const lost = rangeText({ first: newest + 1, last: numbers.first - 1 })
      report('trade_missing_outside_gap', streams.nowUs, stream, `trades ${lost} are missing between ${top} and ${id}`)
    }
  }

  function jump(stream: Stream, jumped: Numbers): void {
    if (outsideGaps(stream, jumped).length === 0) return
    holes.set(stream, [...(holes.get(stream) ?? []), { ...jumped, atUs: streams.nowUs }])
  }

  function finish(stream: Stream): void {
    const { deliveries } = stream
    const { first, top } = deliveries
    if (first === undefined || top === undefined) return
    const unexplained = holes.get(stream) ?? []
    const outside = deliveries.missing({ first, last: top }).flatMap((part) => outsideGaps(stream, part))
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

  /** The newest trades of the market were delivered, or a gap behind the newest delivered one says that they were not. */
  function finishEnd(stream: Stream, top: number): void {
    const { deliveries } = stream
    const last = quietTruth(deliveries, streams.nowUs - options.settleUs)
    const { newest } = deliveries
    if (last === undefined || newest === undefined || last <= newest) return
    if (outsideGaps(stream, { first: top + 1, last: top + 1 }).length === 0) return
    const text = `trades ${rangeText({ first: newest + 1, last })} are missing`
    report('trade_missing_outside_gap', streams.nowUs, stream, text)
  }

  return {
    traded({ venue, symbol, last, atUs }) {
      const { deliveries } = streams.of({ venue, channel: 'trade', symbol })
      deliveries.young.push({ atUs, before: deliveries.truth })
      while ((deliveries.young[0]?.atUs ?? atUs) < atUs - options.settleUs) deliveries.young.shift()
      deliveries.truth = last
    },
    data(stream, event) {
      if (event.type !== 'trade') return
      const numbers = options.numbersOf(event)
      const counters = options.countersOf(event)
      if (numbers === undefined || counters === undefined) return
      if (event.source === 'backfill') judgeOrder(stream, counters)
      deliver(stream, event, numbers, counters)
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

/** The killed process could not tell the next one that these had left, and the gap of the kill says so. */
const isInDoubt = ({ gaps }: Stream, span: Numbers): boolean =>
  [...gaps.values()].some(({ latest }) => {
    const { first, last } = missingIn(latest)
    return latest.cause === 'process_down' && first <= span.first && span.last <= last
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
function quietTruth({ young, truth }: Deliveries, untilUs: EpochUs): number | undefined {
  const first = young.find(({ atUs }) => atUs > untilUs)
  return first === undefined ? truth : first.before
}

/** A gap that is called healed is; one that is given up could not be healed. */
export function judgeHealing({ streams, options, report }: Court): Judge {
  /** By venue: until when past trades could not be fetched. */
  const unreachableUs = new Map<string | undefined, EpochUs>()
  const givenUp = new Set<Stream>()

  /** Trades that did not leave count as one each, so that it is rather too few. */
  const kept = ({ deliveries }: Stream, parts: readonly Numbers[]): Numbers[] => {
    const { top = 0, truth = 0, newest = truth } = deliveries
    const oldest = top + Math.max(0, truth - newest) - options.tradesKept + 1
    return parts.flatMap(({ first, last }) => (last < oldest ? [] : [{ first: Math.max(first, oldest), last }]))
  }

  const isReachable = ({ venue }: Stream): boolean =>
    Math.max(unreachableUs.get(venue) ?? 0, unreachableUs.get(undefined) ?? 0) + options.detectionUs < streams.nowUs

  return {
    fault({ fault, venue, atUs, untilUs }) {
      if (!options.restFaults.test(fault)) return
      unreachableUs.set(venue, Math.max(unreachableUs.get(venue) ?? 0, untilUs ?? atUs))
    },
    gap({ record: { stream }, event }) {
      if (stream.channel !== 'trade' || event.state === 'open') return
      const missing = stream.deliveries.missing(missingIn(event))
      const text = `${countOf(missing)} trades are missing in gap ${event.gap_id}`
      if (event.state === 'healed' && missing.length > 0) report('healed_untrue', streams.nowUs, stream, text)
      if (event.state === 'closed' && missing.length > 0)
        report('trade_not_healed', streams.nowUs, stream, `${text}, which is closed`)
      if (event.state !== 'final') return
      const fetchable = kept(stream, missing)
      if (fetchable.length === 0) return
      if (isReachable(stream))
        report('trade_not_healed', streams.nowUs, stream, `${text}; the venue had ${countOf(fetchable)} of them`)
      else givenUp.add(stream)
    },
    finish() {
      for (const stream of givenUp) {
        const missing = [...stream.gaps.values()]
          .filter(({ latest }) => latest.state === 'final')
          .flatMap(({ latest }) => kept(stream, stream.deliveries.missing(missingIn(latest))))
        if (missing.length > 0 && isReachable(stream))
          report('trade_not_healed', streams.nowUs, stream, `${countOf(missing)} trades can still be fetched`)
      }
    },
  }
}

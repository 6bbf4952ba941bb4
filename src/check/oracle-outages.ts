/**
 * Streams whose messages are not numbered (tickers, quotes): a time in which no connection carried them is covered by
 * gap records, which leave before the data behind it. And the end of the process is recorded for every stream.
 */

import type { EpochUs } from '../model/event.ts'
import { touches } from './oracle-causes.ts'
import { DiskTrouble } from './oracle-disk.ts'
import { type Court, type Entry, isProcessGap, type Judge, millis } from './oracle-judge.ts'
import type { Outage, Stream } from './oracle-streams.ts'

const isNumbered = ({ channel }: Stream): boolean => channel === 'trade' || channel === 'book'

/** The gaps of the stream together leave nothing of the time out. */
function isCovered(stream: Stream, fromUs: EpochUs, untilUs: EpochUs, slackUs: number): boolean {
  const gaps = [...stream.gaps.values()].map(({ latest }) => latest)
  let coveredUs = fromUs - slackUs
  for (const { start_time_us, end_time_us } of gaps.sort((a, b) => a.start_time_us - b.start_time_us)) {
    if (start_time_us - slackUs > Math.max(coveredUs, fromUs)) break
    coveredUs = Math.max(coveredUs, end_time_us ?? Number.POSITIVE_INFINITY)
  }
  return coveredUs + slackUs >= untilUs
}

export function judgeOutages({ streams, options: { slackUs }, report }: Court): Judge {
  const checked = new Set<Outage>()
  const late = new Set<Outage>()

  function finish(stream: Stream, outage: Outage): void {
    const { fromUs, untilUs = streams.nowUs } = outage
    const isLate = late.has(outage)
    if (isCovered(stream, fromUs, untilUs, slackUs)) {
      if (isLate)
        report('data_before_gap', untilUs, stream, `the gap since ${fromUs} was recorded after the data behind it`)
    } else if (!outage.isProcess)
      report('outage_outside_gap', fromUs, stream, `nothing for ${millis(untilUs - fromUs)}, not covered by gaps`)
  }

  return {
    data(stream) {
      const outage = stream.lastOutage
      if (isNumbered(stream) || outage === undefined || !outage.isCertain || checked.has(outage)) return
      checked.add(outage)
      if (!isCovered(stream, outage.fromUs, outage.untilUs ?? streams.nowUs, slackUs)) late.add(outage)
    },
    finish() {
      for (const stream of streams.all()) {
        if (isNumbered(stream)) continue
        for (const outage of stream.outages) finish(stream, outage)
        if (stream.outage?.isCertain === true && streams.nowUs > stream.outage.fromUs) finish(stream, stream.outage)
      }
    },
  }
}

interface Ending {
  readonly stream: Stream
  readonly outage: Outage
  readonly atUs: EpochUs
  /** When the next process started. */
  nextUs?: EpochUs
  /** In order, and no gap was open then. */
  readonly isUntold: boolean
}

export function judgeProcess({ streams, options, report }: Court): Judge {
  const { slackUs } = options
  const endings: Ending[] = []
  const disk = new DiskTrouble(options)
  const unlisted: Entry<'fault'>[] = []

  /** What the venue does not list has no data to miss. */
  const isListed = (stream: Stream, atUs: EpochUs): boolean =>
    !unlisted.some((fault) => touches(fault, stream) && (fault.untilUs ?? fault.atUs) >= atUs)

  /** A gap without an end is durable already: it goes on. */
  const isInGap = (stream: Stream): boolean =>
    [...stream.open].some(({ latest, isDurable }) => isDurable && latest.end_time_us === undefined)

  function judge({ stream, outage: { untilUs }, atUs, nextUs = atUs, isUntold }: Ending): void {
    if (untilUs === undefined) return
    if (isUntold) report('process_gap_missing', atUs, stream, 'the process stopped in order and opened no gap')
    // What was open when an earlier process ended goes on, if the disk did not take its end.
    const begun = [...stream.gaps.values()]
      .filter(({ latest, latestUs }) => isProcessGap(latest) || latestUs > atUs)
      .map(({ first, latest, isDurable, isReverted }) => (isDurable && isReverted ? first : latest))
      .filter((gap) => gap.start_time_us <= atUs + slackUs)
      // The clock may have been set back in between.
      .filter(({ end_time_us }) => (end_time_us ?? atUs) >= Math.min(atUs, untilUs, nextUs))
    if (begun.length === 0) {
      report('process_gap_missing', atUs, stream, `no gap from the end of the process to ${untilUs}`)
      return
    }
    const endUs = Math.max(...begun.map(({ end_time_us = Number.POSITIVE_INFINITY }) => end_time_us))
    // Numbers tell more than times do: trades and books may be known to be whole before a frame comes.
    // A symbol that was off the list then has a gap of its own behind it.
    if (isNumbered(stream) || endUs >= untilUs - slackUs || isCovered(stream, atUs, untilUs, slackUs)) return
    report('process_gap_missing', atUs, stream, `the gap ends ${millis(untilUs - endUs)} before the first data`)
  }

  return {
    fault(entry) {
      disk.fault(entry)
      if (options.unlistedFaults.test(entry.fault)) unlisted.push(entry)
    },
    process({ state, atUs }) {
      if (state === 'started') {
        for (const ending of endings) ending.nextUs ??= atUs
        return
      }
      for (const stream of streams.all()) {
        if (disk.isUnheardOf(stream, atUs)) continue
        const { outage } = stream
        // Of what has not brought anything yet nothing can be missed.
        if (stream.leftUs === undefined && stream.gaps.size === 0) continue
        if (outage?.isProcess !== true || outage.fromUs !== atUs || isInGap(stream)) continue
        const isUntold = state === 'stopped' && stream.open.size === 0 && isListed(stream, atUs)
        endings.push({ stream, outage, atUs, isUntold })
      }
    },
    finish() {
      for (const ending of endings) judge(ending)
    },
  }
}

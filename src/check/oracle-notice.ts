/** What the collector has to notice by itself: connections that are dead, venues that throw it out, frames that nobody can read. */

import type { EpochUs } from '../model/event.ts'
import { type Court, type Judge, mayBlock, millis } from './oracle-judge.ts'
import type { Stream } from './oracle-streams.ts'

export function judgeLinks({
  streams,
  options: { timeFaults, unlistedFaults, deadLinkUs, deafLinkUs, dials },
  report,
}: Court): Judge {
  /** Since when each open connection has been open, or silent. */
  const openedUs = new Map<string, EpochUs>()
  const frozenUs = new Map<string, EpochUs>()
  /** Since when not even answers to pings come. */
  const deafUs = new Map<string, EpochUs>()
  /** By venue: when connections ended that had only just opened. */
  const short = new Map<string, EpochUs[]>()
  /** Those of the process that runs. */
  const open = new Set<string>()
  /** By venue: so many at once at most. */
  const most = new Map<string, number>()
  /** By venue and symbol: until when its market stands still. */
  const halted = new Map<string, Map<string, EpochUs>>()
  let excusedUs = 0

  function forget(): void {
    for (const map of [openedUs, frozenUs, deafUs, short]) map.clear()
  }

  /** Until when nothing moved in any of the venue's markets; 0: some did. */
  function quietUntilUs(venue: string): EpochUs {
    const symbols = new Set([...streams.all()].filter((each) => each.venue === venue).map(({ symbol }) => symbol))
    return symbols.size === 0 ? 0 : Math.min(...[...symbols].map((symbol) => halted.get(venue)?.get(symbol) ?? 0))
  }

  function judgeSilence(venue: string, key: string): void {
    // Pings are answered in any market.
    for (const [silentUs, maxUs, quietUs] of [
      [frozenUs, deadLinkUs, quietUntilUs(venue)],
      [deafUs, deafLinkUs, 0],
    ] as const) {
      const sinceUs = silentUs.get(key)
      silentUs.delete(key)
      if (sinceUs === undefined || sinceUs <= excusedUs) continue
      if (streams.nowUs - Math.max(sinceUs, quietUs) <= maxUs) continue
      report('dead_link_kept', sinceUs, undefined, `${venue}: silent for ${millis(streams.nowUs - sinceUs)}`)
    }
  }

  function judgeLife(venue: string, key: string): void {
    const sinceUs = openedUs.get(key)
    openedUs.delete(key)
    if (sinceUs === undefined || streams.nowUs - sinceUs >= dials.livedUs) return
    const lately = (short.get(venue) ?? []).filter((atUs) => atUs > streams.nowUs - dials.us)
    lately.push(streams.nowUs)
    short.set(venue, lately)
    if (lately.length === dials.count * Math.max(1, most.get(venue) ?? 1) + 1)
      report('dial_storm', streams.nowUs, undefined, `${venue}: ${lately.length} connections in ${millis(dials.us)}`)
  }

  return {
    process() {
      open.clear()
      forget()
    },
    fault({ fault, venue, symbol, atUs, untilUs = atUs }) {
      // What is off the list is not traded either.
      const isQuiet = fault === 'market-halted' || unlistedFaults.test(fault)
      if (isQuiet && venue !== undefined && symbol !== undefined) {
        const known = halted.get(venue) ?? new Map<string, EpochUs>()
        halted.set(venue, known.set(symbol, Math.max(untilUs, known.get(symbol) ?? 0)))
      }
      if (!timeFaults.test(fault)) return
      excusedUs = Math.max(excusedUs, untilUs)
      forget()
    },
    connection({ venue, connection, state, isDeaf, atUs }) {
      if (state === 'dialled') return
      const key = `${venue} ${connection}`
      if (state === 'open') {
        open.add(key)
        const count = [...open].filter((each) => each.startsWith(`${venue} `)).length
        most.set(venue, Math.max(count, most.get(venue) ?? 0))
      } else if (state === 'closed') open.delete(key)
      if (state === 'open') openedUs.set(key, atUs)
      else if (state === 'frozen') {
        frozenUs.set(key, frozenUs.get(key) ?? atUs)
        if (isDeaf === true) deafUs.set(key, deafUs.get(key) ?? atUs)
      } else judgeSilence(venue, key)
      if (state === 'closed') judgeLife(venue, key)
    },
    end(stream) {
      const { venue, subscribed, given } = stream
      const carriers = [...subscribed].filter((id) => open.has(`${venue} ${id}`) && !given.has(id))
      if (carriers.length > 1)
        report('stream_carried_twice', streams.nowUs, stream, `by connections ${carriers.join(', ')}`)
    },
    finish() {
      for (const key of [...frozenUs.keys()]) judgeSilence(key.slice(0, key.lastIndexOf(' ')), key)
    },
  }
}

/** Tickers and quotes have no numbers that would tell of the loss later. */
export function judgeSpoilt({ streams, options, report }: Court): Judge {
  const { spoiltFaults, timeFaults, detectionUs } = options
  const spoilt: { readonly stream: Stream; readonly atUs: EpochUs }[] = []
  let excusedUs = 0
  /** Until when what a venue sends may never arrive, or what all send. */
  const blockedUs = new Map<string | undefined, EpochUs>()

  const isBlocked = (venue: string, atUs: EpochUs): boolean =>
    [venue, undefined].some((where) => (blockedUs.get(where) ?? 0) > atUs)

  const isTold = (stream: Stream, atUs: EpochUs): boolean =>
    [...stream.gaps.values()].some(
      ({ latest: { start_time_us: startUs, end_time_us: endUs = atUs } }) =>
        startUs <= atUs + detectionUs && endUs >= atUs,
    )

  return {
    fault(entry) {
      const { fault, venue, channel, symbol, atUs, untilUs = atUs } = entry
      if (mayBlock(entry, options)) blockedUs.set(venue, Math.max(untilUs, blockedUs.get(venue) ?? 0))
      if (timeFaults.test(fault)) {
        excusedUs = Math.max(excusedUs, untilUs)
        while ((spoilt.at(-1)?.atUs ?? 0) > atUs - detectionUs) spoilt.pop()
      }
      if (!spoiltFaults.test(fault) || venue === undefined || symbol === undefined || atUs <= excusedUs) return
      if ((channel !== 'ticker' && channel !== 'quote') || isBlocked(venue, atUs)) return
      const stream = streams.of({ venue, channel, symbol })
      // While two connections carry it, the other one may have brought what this one lost.
      if (stream.subscribed.size === 1 && stream.deliveredUs !== undefined) spoilt.push({ stream, atUs })
    },
    finish() {
      for (const { stream, atUs } of spoilt)
        if (!isTold(stream, atUs)) report('spoilt_frame_untold', atUs, stream, 'no gap speaks of the spoilt frame')
    },
  }
}

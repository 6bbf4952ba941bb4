/** Two hundred symbols of one venue at once, at a simulator that bans at the first broken rule. */

import { systemClock } from '../../platform/clock.ts'
import { type Bed, isLive, openBed } from './bed.ts'
import { manyInstruments } from './instruments.ts'
import type { Bound, Proof, ProofOptions } from './proof.ts'
import { comes } from './wait.ts'

const STEPS_PER_SECOND = 0.5
const DEADLINE_MS = 240_000
const LIVE_S_MAX = 60
const VENUES = ['okx', 'deribit', 'binance', 'binance-usdm']

interface Start {
  readonly id: string
  readonly streamsMs: number | undefined
  readonly booksMs: number | undefined
  readonly broken: number
  readonly banned: number
}

export const start: Proof = {
  name: 'start',
  about: 'Many symbols start together within the venue’s limits; the simulator bans at the first broken rule.',
  counts: 'symbols of each venue',
  usualCount: 200,
  async run(options) {
    const { count = this.usualCount } = options
    const results: Start[] = []
    for (const id of VENUES) results.push(await runVenue(options, id, count))
    const figures: Record<string, number> = { symbols: count, feeds: 4 * count }
    const bounds: Bound[] = []
    for (const { id, streamsMs, booksMs, broken, banned } of results) {
      figures[`${id}_streams_live_s`] = seconds(streamsMs)
      figures[`${id}_all_live_s`] = seconds(booksMs)
      bounds.push(
        { what: `${id}: all streams but books live, s`, found: seconds(streamsMs), most: LIVE_S_MAX },
        { what: `${id}: all feeds live, s`, found: seconds(booksMs), most: LIVE_S_MAX },
        { what: `${id}: broken venue rules`, found: broken, most: 0 },
        { what: `${id}: bans`, found: banned, most: 0 },
      )
    }
    return { figures, bounds }
  },
}

const seconds = (ms: number | undefined): number => Math.round((ms ?? DEADLINE_MS) / 100) / 10

async function runVenue({ folder, seed, say }: ProofOptions, id: string, count: number): Promise<Start> {
  const clock = systemClock()
  const simulated = [manyInstruments(id, count, STEPS_PER_SECOND)]
  const bed = await openBed({ folder: `${folder}/${id}`, simulated, seed, bansAtOnce: true })
  const startMs = bed.nowMs()
  void bed.collector.start()
  const streamsMs = (await comes(clock, () => areStreamsLive(bed, 3 * count), DEADLINE_MS))
    ? bed.nowMs() - startMs
    : undefined
  const isAll = () => bed.collector.feeds().length === 4 * count && isLive(bed.collector)
  const booksMs = (await comes(clock, isAll, DEADLINE_MS)) ? bed.nowMs() - startMs : undefined
  const broken = bed.simulator.violations().length
  const banned = bed.collector.exchanges().filter(({ status }) => status === 'banned').length
  say(`${id}: streams ${seconds(streamsMs)} s, all ${seconds(booksMs)} s, ${broken} broken rules`)
  for (const { rule, detail } of bed.simulator.violations()) say(`${rule}: ${detail}`)
  await bed.stop()
  return { id, streamsMs, booksMs, broken, banned }
}

const areStreamsLive = ({ collector }: Bed, count: number): boolean =>
  collector.feeds().filter(({ channel, state }) => channel !== 'book' && state === 'live').length === count

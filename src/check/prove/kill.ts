/** The service is killed and stopped again and again, and goes on from the same data folder: nothing is missed unseen. */

import { CHANNELS } from '../../model/event.ts'
import { sleep } from '../../platform/clock.ts'
import { partSeed, seededRandom } from '../../platform/random.ts'
import type { SimVenue } from '../../sim/exchange.ts'
import { startSimulator } from '../../sim/server.ts'
import { venues } from '../../venues/index.ts'
import { spread } from '../oracle-figures.ts'
import { type Child, type GapRecord, startChild } from './child.ts'
import { writeConfig } from './config.ts'
import { feedKey } from './delivery-judge.ts'
import { someInstruments } from './instruments.ts'
import { judgeEnds, type ProcessEnd } from './kill-judge.ts'
import type { Proof, ProofOptions } from './proof.ts'
import { sumOf, TradeAudit } from './trade-audit.ts'
import { until } from './wait.ts'

const SYMBOLS = 2
const STEPS_PER_SECOND = 6
const REST_DELAY_MS = 200
/** Snapshots show a book as it was up to so long ago. */
const SNAPSHOT_LAG_MS = 250
/** Instruments and past trades take longer, so that a client of the stream is there before the first trade. */
const CLIENT_DELAY_MS = 1_500
const DELAYED = ['xchangeInfo', 'nstrument', 'rades'].map((path) => ({ path, ms: CLIENT_DELAY_MS }))
/** SIGTERMs for each kill. */
const STOPS_SHARE = 0.4
/** A process lives so long at most: some ends fall into the start, some into healing, some into calm. */
const LIFE_MS_MAX = 6_000
const SETTLE_MS_MAX = 60_000
const STOP_MS_MAX = 10_000
/** Half of it is the beat that tells when a process lived last. */
const EXCESS_S_MAX = 2
/** Of each kind of failure. */
const SHOWN_MAX = 5

export const kill: Proof = {
  name: 'kill',
  about: 'A killed process is a gap of the right size, its trades are fetched; a stopped one exits in order.',
  counts: 'kills; SIGTERMs are two fifths of it',
  usualCount: 50,
  async run(options) {
    const { count = this.usualCount } = options
    const stops = Math.ceil(count * STOPS_SHARE)
    const { ends, gaps, audit, hasSettled } = await killAndStop(options, count, stops)
    const verdict = judgeEnds(ends, gaps, wholeUs)
    const { uncovered, unexplained, unhealed, widest } = verdict
    for (const list of [uncovered, unexplained, unhealed, audit.missing(), [`widest: ${widest}`]])
      for (const text of list.slice(0, SHOWN_MAX)) options.say(text)
    const trades = audit.counts()
    const exits = ends.filter(({ signal }) => signal === 'SIGTERM')
    const excess = spread(verdict.excessMs)
    const slowest = Math.max(0, ...exits.map(({ atUs, exit }) => (exit.atUs - atUs) / 1000))
    return {
      figures: {
        kills: ends.length - exits.length,
        sigterms: exits.length,
        gaps: gaps.length,
        process_down: gaps.filter(({ cause }) => cause === 'process_down').length,
        shutdown: gaps.filter(({ cause }) => cause === 'shutdown').length,
        wider_p50_ms: Math.round(excess.p50),
        wider_p99_ms: Math.round(excess.p99),
        slowest_exit_ms: Math.round(slowest),
        trades: sumOf(trades, ({ expected }) => expected),
        trades_fetched: sumOf(trades, ({ fetched }) => fetched),
      },
      bounds: [
        { what: 'ends of a stream without a gap', found: verdict.uncovered.length, most: 0 },
        { what: 'gaps wider than the truth, most, s', found: Math.round(excess.max) / 1000, most: EXCESS_S_MAX },
        { what: 'gaps that no end explains', found: verdict.unexplained.length, most: 0 },
        { what: 'gaps of trades left with something missing', found: verdict.unhealed.length, most: 0 },
        { what: 'trades that no client was sent', found: sumOf(trades, ({ missing }) => missing), most: 0 },
        {
          what: 'exit statuses of SIGTERM other than 0',
          found: exits.filter(({ exit }) => exit.code !== 0).length,
          most: 0,
        },
        { what: 'slowest exit after SIGTERM, ms', found: Math.round(slowest), most: STOP_MS_MAX },
        { what: 'not all live, or gaps open, at the end', found: hasSettled ? 0 : 1, most: 0 },
      ],
    }
  },
}

/**
 * A snapshot by REST is asked for behind the list of instruments, which this proof delays. One that is older than the
 * stream's first message is of no use, so it is asked for when that is no more the past for the venue, and is delayed itself.
 */
function wholeUs(gap: GapRecord, { firstAfterUs, listedUs }: ProcessEnd): number | undefined {
  const sentUs = firstAfterUs.get(feedKey(gap))
  const snapshotFrom = venues.find(({ id }) => id === gap.venue)?.book.snapshotFrom
  if (sentUs === undefined || gap.channel !== 'book' || snapshotFrom !== 'rest') return sentUs
  return Math.max(sentUs, listedUs.get(gap.venue) ?? 0) + (SNAPSHOT_LAG_MS + REST_DELAY_MS) * 1000
}

interface KillRun {
  readonly ends: readonly ProcessEnd[]
  readonly gaps: readonly GapRecord[]
  readonly audit: TradeAudit
  readonly hasSettled: boolean
}

async function killAndStop(options: ProofOptions, kills: number, stops: number): Promise<KillRun> {
  const { seed, folder, main, clock, say } = options
  const random = seededRandom(partSeed(seed, 'kill'))
  const simulated = someInstruments(SYMBOLS, STEPS_PER_SECOND)
  const ends: ProcessEnd[] = []
  const lastSentUs = new Map<string, number>()
  const simulator = await startSimulator({
    clock,
    venues: simulated,
    seed,
    snapshotLagMsMax: SNAPSHOT_LAG_MS,
    faults: [...DELAYED, { ms: REST_DELAY_MS }].map((delay) => ({
      ...delay,
      kind: 'rest-delay',
      count: Number.MAX_SAFE_INTEGER,
    })),
    onSent(venue, channel, symbol) {
      const stream = `${venue} ${channel} ${symbol}`
      const nowUs = clock.nowUs()
      lastSentUs.set(stream, nowUs)
      for (const { firstAfterUs } of ends.slice(-2)) if (!firstAfterUs.has(stream)) firstAfterUs.set(stream, nowUs)
    },
    onAnswered(venue, path) {
      if (!path.includes('xchangeInfo')) return
      for (const { listedUs } of ends.slice(-2)) if (!listedUs.has(venue)) listedUs.set(venue, clock.nowUs())
    },
  })
  const audit = new TradeAudit()
  for (const { id } of simulated) audit.watch(id, simulator.market(id))
  await writeConfig(folder, simulated, simulator)
  const begin = () => startChild({ main, folder, onEvent: (event) => event.type === 'trade' && audit.add(event) })
  let child = await begin()
  if (!(await child.settles(SETTLE_MS_MAX))) throw new Error(`the service did not come to be live: ${child.output}`)
  for (let index = 0; index < kills + stops; index++) {
    // The first of each kind comes in calm, so that all streams are there.
    const signal = index < kills ? 'SIGKILL' : 'SIGTERM'
    await sleep(clock, random() * LIFE_MS_MAX)
    if (index === kills) await child.settles(SETTLE_MS_MAX)
    const atUs = clock.nowUs()
    const lastBeforeUs = new Map(lastSentUs)
    child.kill(signal)
    const exit = await child.exit
    await until(clock, 'the sockets of the ended process to close', () => simulator.connections().length === 0, 10_000)
    ends.push({ signal, atUs, exit, lastBeforeUs, firstAfterUs: new Map(), listedUs: new Map() })
    child = await begin()
    if (index % 10 === 9) say(`${index + 1} of ${kills + stops} ends`)
  }
  const hasSettled = await child.settles(SETTLE_MS_MAX)
  const gaps = await allGaps(child, simulated)
  for (const { id } of simulated) simulator.market(id).stop()
  await sleep(clock, 2_000)
  child.kill('SIGTERM')
  await child.exit
  await simulator.stop()
  return { ends, gaps, audit, hasSettled }
}

async function allGaps(child: Child, simulated: readonly SimVenue[]): Promise<GapRecord[]> {
  const lists = simulated.flatMap(({ id }) => CHANNELS.map((channel) => child.gaps(id, channel)))
  return (await Promise.all(lists)).flat()
}

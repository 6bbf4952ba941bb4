/** The service is killed again and again while its servers come and go; then everything settles and the stores are read. */

import { join } from 'node:path'
import { CHANNEL_OF, type Gap, type MarketEvent } from '../../model/event.ts'
import { partSeed, seededRandom } from '../../platform/random.ts'
import { systemPlatform } from '../../platform/system.ts'
import { type Simulator, startSimulator } from '../../sim/server.ts'
import { EVENT_TYPES } from '../../sinks/clickhouse/columns.ts'
import type { Spread } from '../oracle-figures.ts'
import { type Child, type Exit, startChild } from './child.ts'
import { writeConfig } from './config.ts'
import { feedKey, type ServiceEnd, type Told } from './delivery-judge.ts'
import { someInstruments } from './instruments.ts'
import { Outages } from './outages.ts'
import type { ProofOptions } from './proof.ts'
import { openStand, type Stand } from './stand.ts'
import type { Stored } from './stores.ts'
import { TradeAudit } from './trade-audit.ts'
import { sleep, until } from './wait.ts'
import { probeWrites } from './write-probe.ts'

const SYMBOLS = 2
const STEPS_PER_SECOND = 15
/** One end in so many is a SIGTERM. */
const STOP_EVERY = 6
/** A process lives so long at most: some ends fall into the start, some into catching up, some into calm. */
const LIFE_MS_MAX = 6_000
const SETTLE_MS_MAX = 120_000

export interface DeliveryRun {
  readonly ends: readonly (ServiceEnd & { readonly exit: Exit })[]
  readonly told: ReadonlyMap<string, Told>
  readonly stores: readonly Stored[]
  /** The newest of each gap, as the NATS stream has it. */
  readonly gaps: readonly Gap[]
  readonly trades: TradeAudit
  readonly outages: Readonly<Record<string, number>>
  readonly longestOutageMs: number
  readonly seconds: number
  /** Of the last stop. */
  readonly lastExit: Exit
  readonly machine: Spread
}

/** `longMs`: of outages, beside the short ones. Errors: rejects when the service does not come to rest. */
export async function killUnderLoad(
  options: ProofOptions,
  ends: number,
  longMs: readonly number[],
): Promise<DeliveryRun> {
  const stand = await openStand(options.folder, options.say)
  try {
    return await runOn(stand, options, ends, longMs)
  } finally {
    await stand.remove()
  }
}

async function runOn(
  stand: Stand,
  options: ProofOptions,
  count: number,
  longMs: readonly number[],
): Promise<DeliveryRun> {
  const { seed, folder, main, clock } = options
  const simulated = someInstruments(SYMBOLS, STEPS_PER_SECOND)
  const simulator = await startSimulator({ clock, venues: simulated, seed })
  const trades = new TradeAudit()
  for (const { id } of simulated) trades.watch(id, simulator.market(id))
  await writeConfig(folder, simulated, simulator, stand.config)
  const told = new Map<string, Told>()
  const begin = () => startChild({ main, folder, types: EVENT_TYPES, onEvent: (event) => note(told, event) })
  const first = await begin()
  if (!(await first.settles(SETTLE_MS_MAX))) throw new Error(`the service did not come to be live: ${first.output}`)
  const endProbe = await probeWrites(systemPlatform(), join(folder, 'probe'))
  const startMs = clock.monotonicMs()
  const outages = Object.entries(stand.failings).map(
    ([server, ways]) => new Outages({ clock, random: seededRandom(partSeed(seed, server)), ways, longMs }),
  )
  const { ends, child } = await endAgainAndAgain(options, simulator, first, begin, count)
  for (const each of outages) await each.end()
  const seconds = (clock.monotonicMs() - startMs) / 1000
  const machine = await endProbe()
  const lastExit = await settle(options, child, simulator)
  await simulator.stop()
  const gaps = new Map<string, Gap>()
  const stores = await stand.read((read) => {
    const event = read()
    if (event.type === 'trade') trades.add(event)
    if (event.type === 'gap') gaps.set(`${feedKey(event)} ${event.gap_id}`, event)
  })
  return {
    ends,
    told,
    stores,
    gaps: [...gaps.values()],
    trades,
    outages: Object.assign({}, ...outages.map(({ counts }) => counts)),
    longestOutageMs: Math.max(...outages.map(({ longestMs }) => longestMs)),
    seconds,
    lastExit,
    machine,
  }
}

async function endAgainAndAgain(
  { seed, clock, say }: ProofOptions,
  simulator: Simulator,
  first: Child,
  begin: () => Promise<Child>,
  count: number,
) {
  const random = seededRandom(partSeed(seed, 'delivery'))
  const ends: (ServiceEnd & { readonly exit: Exit })[] = []
  let child = first
  for (let index = 1; index <= count; index++) {
    await sleep(clock, random() * LIFE_MS_MAX)
    const signal = index % STOP_EVERY === 0 ? 'SIGTERM' : 'SIGKILL'
    const atUs = clock.nowUs()
    child.kill(signal)
    const exit = await child.exit
    await until(clock, 'the sockets of the ended process to close', () => simulator.connections().length === 0, 10_000)
    ends.push({ signal, atUs, exit })
    child = await begin()
    if (index % 10 === 0) say(`${index} of ${count} ends`)
  }
  return { ends, child }
}

/** All servers are there. Resolves when every sink has everything, and the service has ended in order. */
async function settle({ clock, say }: ProofOptions, child: Child, simulator: Simulator): Promise<Exit> {
  if (!(await child.settles(SETTLE_MS_MAX))) say('not all live, or gaps open')
  for (const venue of new Set(simulator.connections().map(({ venue }) => venue))) simulator.market(venue).stop()
  const endMs = clock.monotonicMs() + SETTLE_MS_MAX
  while (!(await child.hasDelivered())) {
    if (clock.monotonicMs() > endMs) throw new Error(`the sinks did not get everything: ${child.output}`)
    await sleep(clock, 200)
  }
  child.kill('SIGTERM')
  return child.exit
}

function note(told: Map<string, Told>, event: MarketEvent): void {
  if (told.has(event.id)) return
  const channel = event.type === 'gap' ? undefined : CHANNEL_OF[event.type]
  const feed = channel && feedKey({ ...event, channel })
  const receiveUs = event.type === 'gap' ? event.detected_time_us : (event.receive_time_us ?? 0)
  told.set(event.id, { id: event.id, feed, receiveUs })
}

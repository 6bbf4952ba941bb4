/** The service is killed again and again while its servers come and go; then everything settles and the stores are read. */

import { join } from 'node:path'
import { sleep } from '../../platform/clock.ts'
import { partSeed, seededRandom } from '../../platform/random.ts'
import { systemPlatform } from '../../platform/system.ts'
import type { Spread } from '../oracle-figures.ts'
import type { Child, Exit } from './child.ts'
import type { ServiceEnd } from './delivery-judge.ts'
import { someInstruments } from './instruments.ts'
import { Outages } from './outages.ts'
import type { ProofOptions } from './proof.ts'
import { ServiceBed } from './service-bed.ts'
import { openStand, type Stand } from './stand.ts'
import type { Stored } from './stores.ts'
import { until } from './wait.ts'
import { probeWrites } from './write-probe.ts'

const SYMBOLS = 2
const STEPS_PER_SECOND = 15
/** One end in so many is a SIGTERM. */
const STOP_EVERY = 6
/** A process lives so long at most: some ends fall into the start, some into catching up, some into calm. */
const LIFE_MS_MAX = 6_000
/** Within this a process must end after SIGTERM. */
export const STOP_MS_MAX = 10_000
/** Characters of the output of one that took longer. */
const SHOWN_MAX = 2_000

export interface DeliveryRun {
  readonly bed: ServiceBed
  readonly ends: readonly EndedProcess[]
  readonly stores: readonly Stored[]
  readonly outages: Readonly<Record<string, number>>
  readonly longestOutageMs: number
  readonly seconds: number
  /** Of the last stop. */
  readonly lastExit: Exit
  readonly machine: Spread
}

type EndedProcess = ServiceEnd & { readonly exit: Exit }

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
  const bed = await ServiceBed.open(options, someInstruments(SYMBOLS, STEPS_PER_SECOND), stand.config)
  try {
    return await endAndRead(options, stand, bed, count, longMs)
  } finally {
    await bed.close()
  }
}

async function endAndRead(
  options: ProofOptions,
  stand: Stand,
  bed: ServiceBed,
  count: number,
  longMs: readonly number[],
): Promise<DeliveryRun> {
  const { seed, folder, clock } = options
  const first = await bed.beginLive()
  const endProbe = await probeWrites(systemPlatform(), join(folder, 'probe'))
  const startMs = clock.monotonicMs()
  const outages = Object.entries(stand.failings).map(
    ([server, ways]) => new Outages({ clock, random: seededRandom(partSeed(seed, server)), ways, longMs }),
  )
  const { ends, child } = await endAgainAndAgain(options, bed, first, count)
  for (const each of outages) await each.end()
  const seconds = (clock.monotonicMs() - startMs) / 1000
  const machine = await endProbe()
  const lastExit = await bed.settle(child)
  const stores = await stand.read(bed.read)
  return {
    bed,
    ends,
    stores,
    outages: Object.assign({}, ...outages.map(({ counts }) => counts)),
    longestOutageMs: Math.max(...outages.map(({ longestMs }) => longestMs)),
    seconds,
    lastExit,
    machine,
  }
}

async function endAgainAndAgain({ seed, clock, say }: ProofOptions, bed: ServiceBed, first: Child, count: number) {
  const random = seededRandom(partSeed(seed, 'delivery'))
  const ends: EndedProcess[] = []
  const isAlone = () => bed.simulator.connections().length === 0
  let child = first
  for (let index = 1; index <= count; index++) {
    await sleep(clock, random() * LIFE_MS_MAX)
    const signal = index % STOP_EVERY === 0 ? 'SIGTERM' : 'SIGKILL'
    const atUs = clock.nowUs()
    child.kill(signal)
    const exit = await child.exit
    const endMs = (exit.atUs - atUs) / 1000
    if (signal === 'SIGTERM' && endMs > STOP_MS_MAX)
      say(`it took ${endMs} ms to end: ${child.output.slice(-SHOWN_MAX)}`)
    await until(clock, 'the sockets of the ended process to close', isAlone, 60_000)
    ends.push({ signal, atUs, exit })
    child = await bed.begin()
    if (index % 10 === 0) say(`${index} of ${count} ends`)
  }
  return { ends, child }
}

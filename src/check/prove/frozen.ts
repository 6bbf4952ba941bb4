/** A NATS server that is frozen under load: memory stays, the disk keeps its quota, and then it catches up. */

import { join } from 'node:path'
import { sleep } from '../../platform/clock.ts'
import type { Clock } from '../../platform/platform.ts'
import { systemPlatform } from '../../platform/system.ts'
import { type Spread, spread } from '../oracle-figures.ts'
import { Helper } from './helper.ts'
import type { LoadOptions, LoadReport } from './load.ts'
import type { Proof, ProofOptions } from './proof.ts'
import type { NatsServer } from './servers/nats-server.ts'
import { STREAM, startNats } from './stand.ts'
import { messagesIn } from './stores.ts'
import { watchLag } from './wait.ts'

const PER_SECOND = 20_000
const CALM_MS = 15_000
/** What the load has left of it: the first seconds of a process are not its usual size. */
const WARM_MS = 5_000
/** Less than so many events behind is no backlog: what a busy machine has under way. */
const BACKLOG_GONE = PER_SECOND / 4
const CATCH_UP_MS_MAX = 900_000
const MEMORY_MIB_MAX = 64
const LATENCY_MS_MAX = 250
const CATCH_UP_LEAST = 4
const MIB = 1024 * 1024
/** Ten minutes are 4 GiB; what a full log gives up is another proof's matter. */
const QUOTA_MIB = 6144

export const frozen: Proof = {
  name: 'frozen',
  about: `NATS is frozen while ${PER_SECOND} events a second come: memory and disk stay within bounds, then it catches up.`,
  counts: 'seconds that it is frozen',
  usualCount: 60,
  async run(options) {
    const { count = this.usualCount } = options
    const nats = await startNats()
    try {
      const ran = await freezeUnderLoad(options, nats, count)
      const { calm, during, after, catchUp, diskMib } = ran
      const grownMib = mib(peak(during) - peak(calm))
      return {
        figures: {
          frozen_s: count,
          events_per_second: PER_SECOND,
          events: ran.appended,
          baseline_mib: mib(peak(calm)),
          frozen_mib: mib(peak(during)),
          catching_up_mib: mib(peak(catchUp.reports)),
          disk_mib: diskMib,
          backlog: catchUp.backlog,
          first_ack_after_s: rounded(catchUp.firstAckMs / 1000),
          catch_up_s: rounded(catchUp.tookMs / 1000),
          catch_up_per_second: Math.round(catchUp.perSecond),
          ...latencyFigures('calm', latencies(calm)),
          ...latencyFigures('catching_up', latencies(catchUp.reports)),
          ...latencyFigures('after', latencies(after)),
          ...latencyFigures('live_calm', lateness(calm)),
          ...latencyFigures('live_catching_up', lateness(catchUp.reports)),
          machine_late_p99_ms: rounded(ran.machine.p99),
          machine_late_max_ms: rounded(ran.machine.max),
        },
        bounds: [
          { what: 'memory beyond that of calm, MiB', found: grownMib, most: MEMORY_MIB_MAX },
          { what: 'log on disk, MiB', found: diskMib, most: QUOTA_MIB },
          {
            what: 'catching up, times the input rate',
            found: rounded(catchUp.perSecond / PER_SECOND),
            least: CATCH_UP_LEAST,
          },
          {
            what: 'from due to appended while it catches up, p99, ms',
            found: rounded(lateness(catchUp.reports).p99),
            most: LATENCY_MS_MAX,
          },
          {
            what: 'from append to acknowledgement after the backlog, p99, ms',
            found: rounded(latencies(after).p99),
            most: LATENCY_MS_MAX,
          },
          {
            what: 'messages in the stream beyond those appended, or fewer',
            found: Math.abs(ran.messages - ran.appended),
            most: 0,
          },
        ],
      }
    } finally {
      await nats.remove()
    }
  },
}

const rounded = (value: number): number => Math.round(value * 10) / 10
const mib = (bytes: number): number => rounded(bytes / MIB)
const peak = (reports: readonly LoadReport[]): number =>
  Math.max(0, ...reports.map(({ residentBytes }) => residentBytes))
const latencies = (reports: readonly LoadReport[]): Spread => spread(reports.flatMap(({ latenciesMs }) => latenciesMs))

const lateness = (reports: readonly LoadReport[]): Spread => spread(reports.flatMap(({ lateMs }) => lateMs))

const latencyFigures = (when: string, { p50, p99, max }: Spread): Record<string, number> => ({
  [`latency_${when}_p50_ms`]: rounded(p50),
  [`latency_${when}_p99_ms`]: rounded(p99),
  [`latency_${when}_max_ms`]: rounded(max),
})

async function freezeUnderLoad({ clock, folder, main, say }: ProofOptions, nats: NatsServer, seconds: number) {
  const load = new Load(main, {
    url: nats.url,
    folder: join(folder, 'data'),
    perSecond: PER_SECOND,
    quotaBytes: QUOTA_MIB * MIB,
  })
  const endLag = watchLag(clock)
  await sleep(clock, WARM_MS)
  load.take()
  await sleep(clock, CALM_MS)
  const calm = load.take()
  say(`calm: ${mib(peak(calm))} MiB, ${load.behind} behind`)
  nats.freeze()
  await sleep(clock, seconds * 1000)
  const during = load.take()
  const diskMib = mib(await bytesIn(join(folder, 'data', 'spool')))
  say(`frozen for ${seconds} s: ${mib(peak(during))} MiB, ${load.behind} behind, ${diskMib} MiB on disk`)
  nats.thaw()
  const catchUp = await catchUpOf(clock, load)
  say(`caught up in ${rounded(catchUp.tookMs / 1000)} s`)
  await sleep(clock, CALM_MS)
  const after = load.take()
  const machine = endLag()
  const appended = await load.end()
  return { calm, during, after, catchUp, diskMib, machine, appended, messages: await messagesIn(nats.url, STREAM) }
}

async function catchUpOf(clock: Clock, load: Load) {
  const startMs = clock.monotonicMs()
  const { appended, stored } = load.newest
  while (load.newest.stored === stored) await soon(clock, startMs)
  const firstAckMs = clock.monotonicMs() - startMs
  while (load.behind > BACKLOG_GONE) await soon(clock, startMs)
  const tookMs = clock.monotonicMs() - startMs - firstAckMs
  const perSecond = ((load.newest.stored - stored) / tookMs) * 1000
  return { backlog: appended - stored, firstAckMs, tookMs, perSecond, reports: load.take() }
}

/** Errors: rejects when it has taken too long. */
async function soon(clock: Clock, startMs: number): Promise<void> {
  if (clock.monotonicMs() - startMs > CATCH_UP_MS_MAX) throw new Error('it does not catch up')
  await sleep(clock, 20)
}

async function bytesIn(folder: string): Promise<number> {
  const { files } = systemPlatform()
  let bytes = 0
  for (const name of await files.list(folder)) bytes += (await files.size(join(folder, name))) ?? 0
  return bytes
}

/** The process that makes the load. */
class Load {
  readonly #helper: Helper<LoadReport>

  constructor(main: string, options: LoadOptions) {
    this.#helper = new Helper(main, 'load.js', options)
  }

  get newest(): LoadReport {
    return this.#helper.newest ?? NOTHING
  }

  get behind(): number {
    return this.newest.appended - this.newest.stored
  }

  /** The reports since the last call. */
  take(): LoadReport[] {
    return this.#helper.take()
  }

  /** Yields how many events it has appended, once all are stored and it has ended. */
  async end(): Promise<number> {
    await this.#helper.end()
    return this.newest.appended
  }
}

const NOTHING: LoadReport = { appended: 0, stored: 0, residentBytes: 0, latenciesMs: [], lateMs: [] }

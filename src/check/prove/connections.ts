/** Ten thousand clients that do not behave, and slow readers: probes are answered, and the collector loses nothing. */

import { join } from 'node:path'
import { sleep } from '../../platform/clock.ts'
import { startSimulator } from '../../sim/server.ts'
import { spread } from '../oracle-figures.ts'
import { type Child, startChild } from './child.ts'
import type { CrowdOptions, CrowdReport } from './clients/crowd.ts'
import type { ProberOptions, ProberReport } from './clients/prober.ts'
import { writeConfig } from './config.ts'
import { Helper } from './helper.ts'
import { someInstruments } from './instruments.ts'
import type { Bound, Proof, ProofOptions } from './proof.ts'
import { sumOf, TradeAudit } from './trade-audit.ts'
import { comes, watchLag } from './wait.ts'

const SYMBOLS = 5
const STEPS_PER_SECOND = 10
const READERS = 50
const CALM_MS = 10_000
const GATHER_MS_MAX = 60_000
/** What counts is the crowd that is there, not the moment in which it comes. */
const GATHERED_MS = 3_000
const CROWDED_MS = 30_000
/** A small crowd is watched for a shorter time. */
const CROWDED_MS_EACH = 10
const SETTLE_MS_MAX = 60_000
const HEALTH_MS_MAX = 50
/** Clients that are sent away are on their way back. */
const OPEN_SHARE = 0.9

export const connections: Proof = {
  name: 'connections',
  about: `Thousands of connections that drip, lie or say nothing, and ${READERS} readers that do not read: /health answers, nothing is lost.`,
  counts: 'connections',
  usualCount: 10_000,
  async run(options) {
    const { count = this.usualCount } = options
    // As it comes, most are sent away; with room for all of them they stay.
    const usual = await crowded(options, count, {})
    const roomy = await crowded(options, count, { connections_max: count + count / 5 })
    return {
      figures: { ...figuresOf('usual', usual), ...figuresOf('room_for_all', roomy) },
      bounds: [
        { what: 'room for all: connections open at a time, least', found: roomy.openLeast, least: count * OPEN_SHARE },
        ...boundsOf('the usual limit', usual),
        ...boundsOf('room for all', roomy),
      ],
    }
  },
}

interface Outcome {
  readonly calm: readonly ProberReport[]
  readonly crowded: readonly ProberReport[]
  /** The fewest, once all had been in. */
  readonly openLeast: number
  readonly dialled: number
  /** Of those that read nothing, at a time. */
  readonly readersMost: number
  readonly machineLateMs: number
  readonly missing: readonly string[]
  readonly doubled: number
  readonly trades: number
  readonly gaps: number
  readonly notSettled: number
  readonly exit: number | null
}

const times = (reports: readonly ProberReport[]) => spread(reports.map(({ tookMs }) => tookMs))
const rounded = (value: number): number => Math.round(value * 10) / 10

function figuresOf(name: string, outcome: Outcome): Record<string, number> {
  const [calm, crowd] = [times(outcome.calm), times(outcome.crowded)]
  return {
    [`${name}_calm_p99_ms`]: rounded(calm.p99),
    [`${name}_p50_ms`]: rounded(crowd.p50),
    [`${name}_p99_ms`]: rounded(crowd.p99),
    [`${name}_max_ms`]: rounded(crowd.max),
    [`${name}_probes`]: crowd.count,
    [`${name}_dialled`]: outcome.dialled,
    [`${name}_trades`]: outcome.trades,
    [`${name}_machine_late_p99_ms`]: rounded(outcome.machineLateMs),
  }
}

function boundsOf(name: string, outcome: Outcome): Bound[] {
  const failed = outcome.crowded.filter(({ status }) => status !== 200)
  return [
    { what: `${name}: /health, p99, ms`, found: rounded(times(outcome.crowded).p99), most: HEALTH_MS_MAX },
    { what: `${name}: probes without a good answer`, found: failed.length, most: 0 },
    { what: `${name}: clients of the stream that read nothing`, found: outcome.readersMost, least: READERS },
    { what: `${name}: missing trades`, found: outcome.missing.length, most: 0 },
    { what: `${name}: doubled trades`, found: outcome.doubled, most: 0 },
    { what: `${name}: gaps`, found: outcome.gaps, most: 0 },
    { what: `${name}: not all live at the end`, found: outcome.notSettled, most: 0 },
    { what: `${name}: exit status of SIGTERM`, found: outcome.exit ?? -1, most: 0, least: 0 },
  ]
}

async function crowded(options: ProofOptions, count: number, api: Readonly<Record<string, number>>): Promise<Outcome> {
  const { seed, folder, main, clock, say } = options
  const simulated = someInstruments(SYMBOLS, STEPS_PER_SECOND)
  const simulator = await startSimulator({ clock, venues: simulated, seed })
  const audit = new TradeAudit()
  for (const { id } of simulated) audit.watch(id, simulator.market(id))
  const home = join(folder, `room-${api.connections_max ?? 'usual'}`)
  await writeConfig(home, simulated, simulator, { api: { port: 0, requests_per_second: 100_000, ...api } })
  const child = await startChild({
    main,
    folder: home,
    onEvent: (event) => event.type === 'trade' && audit.add(event),
  })
  if (!(await child.settles(SETTLE_MS_MAX))) throw new Error(`the service did not come to be live: ${child.output}`)
  const gapsBefore = await gapCount(child)
  const port = Number(new URL(child.url ?? '').port)
  const prober = new Helper<ProberReport>(main, join('clients', 'prober.js'), { port } satisfies ProberOptions)
  await sleep(clock, Math.min(CALM_MS, count * CROWDED_MS_EACH))
  const calm = prober.take()
  const crowdOptions: CrowdOptions = { port, count, readers: READERS }
  const crowd = new Helper<CrowdReport>(main, join('clients', 'crowd.js'), crowdOptions)
  const areIn = () => (crowd.newest?.dialled ?? 0) >= count
  if (!(await comes(clock, areIn, GATHER_MS_MAX))) say(`only ${crowd.newest?.dialled} of ${count} dialled in time`)
  await sleep(clock, GATHERED_MS)
  crowd.take()
  prober.take()
  const endLag = watchLag(clock)
  await sleep(clock, Math.min(CROWDED_MS, count * CROWDED_MS_EACH))
  const machineLateMs = endLag().p99
  const [during, seen] = [prober.take(), crowd.take()]
  await Promise.all([crowd.end(), prober.end()])
  const hasSettled = await child.settles(SETTLE_MS_MAX)
  const gaps = (await gapCount(child)) - gapsBefore
  for (const { id } of simulated) simulator.market(id).stop()
  await comes(clock, () => audit.hasNewest, SETTLE_MS_MAX)
  child.kill('SIGTERM')
  const { code } = await child.exit
  await simulator.stop()
  const trades = audit.counts()
  const outcome: Outcome = {
    calm,
    crowded: during,
    openLeast: Math.min(...seen.map(({ open }) => open)),
    dialled: seen.at(-1)?.dialled ?? 0,
    readersMost: Math.max(...seen.map(({ readers }) => readers)),
    machineLateMs,
    missing: audit.missing(),
    doubled: sumOf(trades, ({ doubled }) => doubled),
    trades: sumOf(trades, ({ expected }) => expected),
    gaps,
    notSettled: hasSettled ? 0 : 1,
    exit: code,
  }
  say(`${outcome.openLeast} open at least, ${outcome.dialled} dialled, /health p99 ${rounded(times(during).p99)} ms`)
  return outcome
}

const gapCount = async (child: Child): Promise<number> =>
  (await child.get<{ count: number }>('/api/v1/gaps?limit=1000'))?.count ?? Number.NaN

/** The service as a process between simulated exchanges and real stores, and everything that leaves it. */

import { CHANNEL_OF, type EpochUs, type Gap, type MarketEvent } from '../../model/event.ts'
import { sleep } from '../../platform/clock.ts'
import type { SimVenue } from '../../sim/exchange.ts'
import { type Simulator, startSimulator } from '../../sim/server.ts'
import { EVENT_TYPES } from '../../sinks/clickhouse/columns.ts'
import { type Child, type Exit, startChild } from './child.ts'
import { writeConfig } from './config.ts'
import { feedKey, type Told } from './delivery-judge.ts'
import type { ProofOptions } from './proof.ts'
import type { readNats } from './stores.ts'
import { TradeAudit } from './trade-audit.ts'

/** Until everything is live and fetched: two windows of a venue's limits, and what the service waits before it asks again. */
const SETTLE_MS_MAX = 300_000
/** The venues answer with every trade of a long run. */
const TRADES_KEPT = 1_000_000
const LAG_MAX = 200
const LOG_SHOWN = 1_000

export class ServiceBed {
  readonly simulator: Simulator
  /** Every event that a client of the stream was sent. */
  readonly told = new Map<string, Told>()
  /** What the NATS stream has of the trades that were made, once {@link read} has seen it. */
  readonly trades = new TradeAudit()
  /** In the NATS stream: when each event was received. */
  readonly receivedUs = new Map<string, EpochUs>()
  /** Of what a client of the stream was sent. */
  readonly #toldTrades = new TradeAudit()
  readonly #gaps = new Map<string, Gap>()
  readonly #options: ProofOptions
  readonly #simulated: readonly SimVenue[]
  #processes = 0
  #child: Child | undefined

  private constructor(options: ProofOptions, simulated: readonly SimVenue[], simulator: Simulator) {
    this.#options = options
    this.#simulated = simulated
    this.simulator = simulator
    for (const { id } of simulated)
      for (const audit of [this.trades, this.#toldTrades]) audit.watch(id, simulator.market(id))
  }

  /** `sections`: of the service's configuration. */
  static async open(
    options: ProofOptions,
    simulated: readonly SimVenue[],
    sections: Readonly<Record<string, unknown>>,
  ): Promise<ServiceBed> {
    const { clock, seed, folder } = options
    const simulator = await startSimulator({ clock, venues: simulated, seed, tradesKept: TRADES_KEPT })
    await writeConfig(folder, simulated, simulator, sections)
    return new ServiceBed(options, simulated, simulator)
  }

  /** A new process. Errors: rejects when it ends or says nothing before its API is there. */
  async begin(): Promise<Child> {
    const { main, folder } = this.#options
    const process = this.#processes++
    const onEvent = (event: MarketEvent) => this.#note(event, process)
    this.#child = await startChild({ main, folder, types: EVENT_TYPES, onEvent })
    return this.#child
  }

  /** The first process, when all its feeds are live. Errors: rejects when they do not come to be. */
  async beginLive(): Promise<Child> {
    const child = await this.begin()
    if (!(await child.settles(SETTLE_MS_MAX))) throw new Error(`the service did not come to be live: ${child.output}`)
    return child
  }

  /** All servers are there. Resolves when every sink has everything, or has had time for it, and the service has ended in order. */
  async settle(child: Child): Promise<Exit> {
    const { clock, say } = this.#options
    if (!(await child.settles(SETTLE_MS_MAX))) say('not all live, or gaps open')
    for (const { id } of this.#simulated) this.simulator.market(id).stop()
    const endMs = clock.monotonicMs() + SETTLE_MS_MAX
    // Venues whose markets stand still are asked anew, so a little goes on coming; the stop brings that to the sinks.
    // A venue sends its last trades a moment after they were made.
    const isDone = async () => this.#toldTrades.hasNewest && (await child.hasDelivered(LAG_MAX))
    while (!(await isDone()) && clock.monotonicMs() < endMs) await sleep(clock, 200)
    if (!(await child.hasDelivered(LAG_MAX)))
      say(`the sinks have not got everything: ${child.output.slice(-LOG_SHOWN)}`)
    child.kill('SIGTERM')
    const exit = await child.exit
    return exit
  }

  /** Ends what is left of it, after a failure too. */
  async close(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#child?.exit
    await this.simulator.stop()
  }

  /** To be told every message of the NATS stream, in order. */
  readonly read: NonNullable<Parameters<typeof readNats>[2]> = (body) => {
    const event = body()
    this.receivedUs.set(event.id, receivedUsOf(event))
    if (event.type === 'trade') this.trades.add(event)
    if (event.type === 'gap') this.#gaps.set(`${feedKey(event)} ${event.gap_id}`, event)
  }

  /** The newest of each gap, as the NATS stream has it. */
  get gaps(): readonly Gap[] {
    return [...this.#gaps.values()]
  }

  #note(event: MarketEvent, process: number): void {
    if (event.type === 'trade') this.#toldTrades.add(event)
    if (this.told.has(event.id)) return
    const channel = event.type === 'gap' ? undefined : CHANNEL_OF[event.type]
    const feed = channel && feedKey({ ...event, channel })
    this.told.set(event.id, { id: event.id, feed, receiveUs: receivedUsOf(event), process })
  }
}

const receivedUsOf = (event: MarketEvent): EpochUs =>
  event.type === 'gap' ? event.detected_time_us : (event.receive_time_us ?? 0)

/** The gaps that should not be there: the end of the last process leaves those of its stop open. */
export const leftOpen = (gaps: readonly Gap[]): Gap[] =>
  gaps.filter(({ state, cause }) => state === 'open' && cause !== 'shutdown')

import type { TraceEntry } from '../../src/check/trace.ts'
import type { BookState, Channel, Gap, Level, MarketEvent } from '../../src/model/event.ts'

export const START_US = 1_795_392_000_000_000
export const VENUE = 'binance'
export const SYMBOLS = ['BTCUSDT', 'ETHUSDT'] as const
export type SymbolName = (typeof SYMBOLS)[number]
const CHANNELS = ['trade', 'ticker', 'quote', 'book'] as const
/** What the model of the venue keeps. */
export const TRADES_KEPT = 50

type FrameChannel = Channel | 'none'

interface Follower {
  readonly channel: Channel
  readonly symbol: SymbolName
  /** Receive time of the newest message. */
  lastMs: number | undefined
  sequence: number | undefined
  /** The gap whose end is not known. */
  outage: Gap | undefined
}

interface Market {
  trade: number
  update: number
  readonly bids: Map<string, string>
}

/** A venue and a collector that keeps every promise, told as a trace. Each of its methods is one thing that may happen. */
export class GoodRun {
  readonly trace: TraceEntry[] = []
  ms = 0
  readonly #markets = new Map<SymbolName, Market>()
  readonly #followers: Follower[] = []
  #connection: number | undefined
  #connections = 0
  #gaps = 0
  #ids = 0

  constructor() {
    for (const symbol of SYMBOLS) {
      this.#markets.set(symbol, { trade: 1000, update: 5000, bids: new Map([['99.5', '1']]) })
      for (const channel of CHANNELS)
        this.#followers.push({ channel, symbol, lastMs: undefined, sequence: undefined, outage: undefined })
    }
    this.#add({ kind: 'process', state: 'started' })
    this.connect()
  }

  get nowUs(): number {
    return START_US + this.ms * 1000
  }

  get isConnected(): boolean {
    return this.#connection !== undefined
  }

  wait(ms: number): this {
    this.ms += ms
    return this
  }

  /** The market of one symbol moves; frames of channel `lost` do not arrive. */
  step(symbol: SymbolName, lost: FrameChannel = 'none', trades = 1): this {
    this.wait(100)
    const market = this.#market(symbol)
    const first = market.trade + 1
    market.trade += trades
    this.#add({ kind: 'traded', venue: VENUE, symbol, first, last: market.trade })
    const from = market.update + 1
    market.update += 2
    const price = `${90 + (market.update % 17)}.50`
    const level: Level = [price, `${market.update % 5}.0`]
    if (level[1] === '0.0') market.bids.delete(String(Number(price)))
    else market.bids.set(String(Number(price)), level[1])
    if (this.#connection === undefined) return this
    if (lost !== 'none') this.fault('drop', { channel: lost, symbol })
    for (let id = first; id <= market.trade; id++)
      this.#frame('trade', symbol, lost, (follower) => this.#onTrade(follower, id))
    for (const channel of ['ticker', 'quote'] as const)
      this.#frame(channel, symbol, lost, (follower) => this.#onState(follower))
    this.#frame('book', symbol, lost, (follower) => this.#onDelta(follower, from, [level]))
    return this
  }

  steps(count: number): this {
    for (let i = 0; i < count; i++) for (const symbol of SYMBOLS) this.step(symbol)
    return this
  }

  fault(
    fault: string,
    scope: { channel?: Channel; symbol?: string; connection?: number; untilUs?: number } = {},
  ): this {
    this.#add({ kind: 'fault', fault, venue: VENUE, ...scope })
    return this
  }

  connect(): this {
    this.wait(300)
    this.#connection = ++this.#connections
    this.#connected()
    return this
  }

  /** The connection is reset, and the collector notices at once. */
  reset(): this {
    const connection = this.#connection
    if (connection === undefined) return this
    this.wait(50)
    this.fault('reset', { connection })
    this.#add({ kind: 'connection', venue: VENUE, connection, state: 'closed' })
    this.#lose('disconnect')
    return this
  }

  /** The connection freezes, frames are lost, and the collector closes it after a while. */
  freeze(): this {
    const connection = this.#connection
    if (connection === undefined) return this
    this.wait(50)
    this.fault('silence', { connection })
    this.#add({ kind: 'connection', venue: VENUE, connection, state: 'frozen' })
    for (const symbol of SYMBOLS) this.step(symbol, 'none', 0).#loseFrames(symbol, connection)
    this.wait(10_000)
    this.#lose('silence')
    this.#add({ kind: 'connection', venue: VENUE, connection, state: 'closed' })
    return this
  }

  /** The connection is replaced before it ends; nothing is missed. */
  rotate(): this {
    const old = this.#connection
    if (old === undefined) return this
    this.connect()
    this.#add({ kind: 'connection', venue: VENUE, connection: old, state: 'closed' })
    return this
  }

  /** The process ends, and another one starts. */
  restart(state: 'killed' | 'stopped', isPowerLoss = false): this {
    this.wait(20)
    const endMs = this.ms
    if (state === 'stopped') this.fault('stop').#openProcessGaps('shutdown', endMs)
    this.#add({ kind: 'process', state, ...(isPowerLoss && { isPowerLoss }) })
    if (this.#connection !== undefined)
      this.#add({ kind: 'connection', venue: VENUE, connection: this.#connection, state: 'closed' })
    this.#connection = undefined
    this.wait(3_000)
    this.#add({ kind: 'process', state: 'started' })
    if (state === 'killed') this.#openProcessGaps('process_down', endMs)
    return this.connect()
  }

  /** Everything comes back, the markets stand still, and the run ends. */
  end(): TraceEntry[] {
    if (this.#connection === undefined) this.connect()
    this.steps(1).wait(5_000)
    for (const symbol of SYMBOLS) this.#checkpoint(symbol)
    for (const { channel, symbol } of this.#followers)
      this.#add({ kind: 'end', venue: VENUE, channel, symbol, state: 'live', reason: '' })
    return this.trace
  }

  #openProcessGaps(cause: 'process_down' | 'shutdown', endMs: number): void {
    for (const follower of this.#followers) {
      if (follower.lastMs === undefined || follower.outage !== undefined) continue
      const startMs = Math.min(follower.lastMs, endMs)
      this.#openGap(follower, cause, Math.max(startMs, endMs - 1_000))
    }
  }

  #market(symbol: SymbolName): Market {
    return this.#markets.get(symbol) as Market
  }

  #follower(channel: Channel, symbol: SymbolName): Follower {
    return this.#followers.find((each) => each.channel === channel && each.symbol === symbol) as Follower
  }

  /** The entry, at the present time. */
  #add(entry: { readonly kind: TraceEntry['kind'] } & Record<string, unknown>): void {
    this.trace.push({ atUs: this.nowUs, ...entry } as unknown as TraceEntry)
  }

  #emit(event: Record<string, unknown> & { type: MarketEvent['type'] }, symbol: SymbolName): void {
    const base = { exchange: 'binance', venue: VENUE, market: 'spot', symbol, receive_time_us: this.nowUs }
    this.#add({ kind: 'event', event: { ...base, id: `${event.type} ${++this.#ids}`, ...event } })
  }

  #frame(channel: Channel, symbol: SymbolName, lost: FrameChannel, receive: (follower: Follower) => void): void {
    const fate = lost === channel ? 'lost' : 'delivered'
    this.#add({ kind: 'frame', venue: VENUE, channel, symbol, connection: this.#connection, fate })
    if (fate === 'lost') return
    const follower = this.#follower(channel, symbol)
    receive(follower)
    follower.lastMs = this.ms
  }

  #connected(): void {
    const connection = this.#connection
    this.#add({ kind: 'connection', venue: VENUE, connection, state: 'open' })
    for (const { channel, symbol } of this.#followers)
      this.#add({ kind: 'subscribed', venue: VENUE, channel, symbol, connection })
  }

  #loseFrames(symbol: SymbolName, connection: number): void {
    for (const channel of CHANNELS)
      this.#add({ kind: 'frame', venue: VENUE, channel, symbol, connection, fate: 'lost' })
  }

  #lose(cause: Gap['cause']): void {
    this.#connection = undefined
    for (const follower of this.#followers)
      if (follower.lastMs !== undefined && follower.outage === undefined)
        this.#openGap(follower, cause, follower.lastMs)
  }

  #openGap(follower: Follower, cause: Gap['cause'], startMs: number, more: Partial<Gap> = {}): Gap {
    const { channel, symbol } = follower
    const gap = {
      type: 'gap',
      channel,
      cause,
      state: 'open',
      gap_id: `g${++this.#gaps}`,
      start_time_us: START_US + startMs * 1000,
      detected_time_us: this.nowUs,
      ...(follower.sequence !== undefined && { last_sequence: follower.sequence }),
      ...more,
    } as Gap
    follower.outage = this.#tell(gap, symbol)
    if (channel === 'book' && cause !== 'process_down' && cause !== 'shutdown') this.#bookState(symbol, 'stale')
    return follower.outage
  }

  #tell(gap: Gap, symbol: SymbolName): Gap {
    const { id, ...rest } = { ...gap, id: `${gap.gap_id} ${++this.#ids}` }
    this.#emit({ ...rest, id }, symbol)
    this.#add({ kind: 'durable', id })
    return { ...rest, id }
  }

  #bookState(symbol: SymbolName, state: BookState['state']): void {
    this.#emit({ type: 'book_state', state, reason: state === 'live' ? 'snapshot' : 'disconnect' }, symbol)
  }

  #onTrade(follower: Follower, id: number): void {
    const { sequence } = follower
    const isNext = follower.outage === undefined && id === (sequence ?? id - 1) + 1
    if (sequence === undefined || isNext) this.#trade(follower, id, 'stream')
    else this.#onTradeBehindGap(follower, id, sequence)
  }

  #onTradeBehindGap(follower: Follower, id: number, sequence: number): void {
    const { symbol } = follower
    const ended = { end_time_us: this.nowUs, first_sequence: id, lost: id - sequence - 1 }
    const gap = follower.outage ?? this.#openGap(follower, 'sequence_gap', follower.lastMs ?? 0, ended)
    follower.outage = undefined
    const state = ended.lost === 0 ? 'closed' : 'open'
    const told = gap.first_sequence === undefined ? this.#tell({ ...gap, ...ended, state }, symbol) : gap
    this.#trade(follower, id, 'stream')
    if (state === 'open') this.#heal(follower, told, sequence + 1, id)
  }

  /** Fetches the trades from `first` on, as far as the venue has them, up to the one behind the gap. */
  #heal(follower: Follower, gap: Gap, first: number, behind: number): void {
    const { symbol } = follower
    const oldest = Math.max(first, this.#market(symbol).trade - TRADES_KEPT + 1)
    for (let each = oldest; each < behind; each++) this.#trade(follower, each, 'backfill')
    const healed = Math.max(0, behind - oldest)
    if (oldest === first) this.#tell({ ...gap, state: 'healed', healed }, symbol)
    else this.#tell({ ...gap, state: 'final', healed, reason: 'the venue no longer has them' }, symbol)
  }

  #trade(follower: Follower, id: number, source: 'stream' | 'backfill'): void {
    follower.sequence = Math.max(follower.sequence ?? 0, id)
    const values = { trade_id: String(id), price: '1', quantity: '1', side: 'buy', source }
    this.#emit({ type: 'trade', id: `trade ${follower.symbol} ${id}`, ...values }, follower.symbol)
  }

  #onState(follower: Follower): void {
    const { channel, symbol, outage } = follower
    follower.outage = undefined
    if (outage !== undefined) this.#tell({ ...outage, state: 'closed', end_time_us: this.nowUs }, symbol)
    this.#emit({ type: channel as 'ticker' | 'quote' }, symbol)
  }

  #onDelta(follower: Follower, first: number, bids: readonly Level[]): void {
    const { symbol, sequence } = follower
    const last = this.#market(symbol).update
    if (sequence !== undefined && follower.outage === undefined && first !== sequence + 1)
      this.#openGap(follower, 'sequence_gap', follower.lastMs ?? 0)
    if (sequence === undefined || follower.outage !== undefined) this.#snapshot(follower)
    else {
      follower.sequence = last
      const ids = { first_sequence: first, last_sequence: last }
      this.#emit({ type: 'book_delta', bids, asks: [], ...ids }, symbol)
    }
  }

  #snapshot(follower: Follower): void {
    const { symbol, outage } = follower
    const { update: sequence, bids } = this.#market(symbol)
    this.#emit({ type: 'book_snapshot', sequence, bids: [...bids], asks: [] }, symbol)
    const ended = { end_time_us: this.nowUs, first_sequence: sequence }
    if (outage !== undefined) this.#tell({ ...outage, ...ended, state: 'closed' }, symbol)
    this.#bookState(symbol, 'live')
    follower.outage = undefined
    follower.sequence = sequence
  }

  #checkpoint(symbol: SymbolName): void {
    const sorted = [...this.#market(symbol).bids].sort(([a], [b]) => Number(b) - Number(a))
    const truth = { bids: sorted.map(([price, quantity]): Level => [`${price}0`, quantity]), asks: [] }
    this.#add({ kind: 'checkpoint', venue: VENUE, symbol, truth, served: { state: 'live', bids: sorted, asks: [] } })
  }
}

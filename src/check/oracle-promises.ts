/** What the oracle holds the collector to: the promises by name, and the bounds within which they are kept. */

import type { EpochUs, Trade } from '../model/event.ts'
import type { Silence } from './oracle-streams.ts'
import type { StreamKey } from './trace.ts'

/** Every promise, with what breaks it. The words are stable: tests, seeds and reports name them. */
export const PROMISES = {
  trade_missing_outside_gap: 'a trade of the market was never delivered, and no unhealed gap says so',
  trade_duplicate: 'a trade was delivered twice by one process, or under two ids',
  state_duplicate: 'a ticker or quote left twice',
  loss_unfound: 'the newest trades of a market were lost, and for too long nobody found out',
  gap_ended_early: 'a gap of trades ended while no connection carried them',
  trade_renamed: 'a trade was delivered again after a kill, under another id, outside the gap of the kill',
  trade_unknown: 'a trade was delivered that the market never made',
  backfill_disordered: 'trades of one answer were delivered newest first',
  trade_not_healed: 'a gap was given up although the venue still had the trades',
  healed_untrue: 'a gap is called healed, and trades in it were not delivered',
  book_chain_broken: 'a book event left that does not follow the one before, and no gap stands between',
  gap_sequences_unfit: 'the sequences of a gap record are not those of the events around it',
  stale_book_delta: 'a change of a book left that had no snapshot, or was told to be stale',
  crossed_book_live: 'more changes left of a live book that was crossed than it takes to call it wrong',
  gap_open_while_live: 'a book was told to be live while a gap of it was open',
  book_differs: 'the served book was called live and differs from the true one',
  replica_differs: 'a book built from the events that left was told to be live and differs from the true one',
  outage_outside_gap: 'no connection carried the stream, and no gap covers that time',
  spoilt_frame_untold: 'a ticker or quote came that nobody could read, and no gap covers that time',
  dead_link_kept: 'a connection that had fallen silent as a whole was kept for too long',
  dials_in_step: 'connections were dialled again after waits that are all the same',
  healthy_link_ended: 'the process stood still, and then ended a connection to which nothing had happened',
  dial_storm: 'a venue that throws everyone out was dialled again and again without growing waits',
  gap_without_cause: 'a gap record without a fault that could have caused it',
  other_symbol_touched: 'a fault of one symbol made a gap in the stream of another',
  gap_too_wide: 'a gap record claims more than was missing',
  data_before_gap: 'data behind a hole left before the gap record that explains it',
  data_before_durable: 'data behind a gap left before the gap record was durable',
  gap_malformed: 'a gap record contradicts itself',
  gap_state_order: 'a gap changed after its end',
  gap_revision_repeated: 'two revisions of a gap left under one id',
  gap_not_durable: 'a gap was not on a disk that had long been well',
  gap_forgotten: 'a gap that was open when the process ended was never closed',
  process_gap_missing: 'the process ended, and a stream that it had been delivering has no gap for that',
  venue_rule_broken: 'a rule of the venue was broken',
  refusal_untold: 'a stream that a venue refused was not told to be down with the reason, or no gap of it was open',
  refusal_ignored: 'a stream that a venue refused for good was asked for again, though nothing had changed',
  refusal_forgotten: 'a stream that a venue refused for now was not asked for again',
  back_late: 'long after the last fault a stream was still on no connection, or its book not live',
  stream_not_live: 'a stream was not live at the end',
  stream_carried_twice: 'two connections carried a stream at the end',
  gap_left_open: 'a gap was open at the end',
} as const
export type PromiseName = keyof typeof PROMISES

/** Broken, these mean that something was lost or wrong and nobody was told. */
export const UNSEEN_LOSSES: readonly PromiseName[] = [
  'trade_missing_outside_gap',
  'loss_unfound',
  'healed_untrue',
  'gap_ended_early',
  'book_chain_broken',
  'book_differs',
  'replica_differs',
  'outage_outside_gap',
  'spoilt_frame_untold',
  'process_gap_missing',
]

export interface Violation {
  readonly promise: PromiseName
  readonly atUs: EpochUs
  /** `venue:channel:symbol`; absent where it is about a whole venue. */
  readonly stream?: string
  /** In words, with the numbers. */
  readonly text: string
}

export type Report = (promise: PromiseName, atUs: EpochUs, key: StreamKey | undefined, text: string) => void

/** Running numbers of trades, both ends included. */
export interface Numbers {
  readonly first: number
  readonly last: number
}

/**
 * How a venue's book events chain. `range`: `[first, last]` touch; `previous`: each names the last sequence before it;
 * `previous_joined`: the same, and the first after a fetched snapshot may span it.
 */
export type Chain = 'range' | 'previous' | 'previous_joined'

export interface OracleOptions {
  /** The true numbers that a trade covers; `undefined`: it cannot be told. */
  readonly numbersOf: (trade: Trade) => Numbers | undefined
  /** The numbers that gap records count for it. */
  readonly countersOf: (trade: Trade) => Numbers | undefined
  readonly chainOf: (venue: string) => Chain
  /** The venue's rule may be broken. */
  readonly isRuleAllowed: (rule: string) => boolean
  /** Words of faults after which a stream need not come back. */
  readonly permanentFaults: RegExp
  /** Words of faults by which nothing may be lost. */
  readonly harmlessFaults: RegExp
  /** Words of those among them that hold up what one stream says while another has spoken. */
  readonly lagFaults: RegExp
  /** Words of faults in which past trades cannot be fetched. */
  readonly restFaults: RegExp
  /** Words of faults in which nothing can be made durable. */
  readonly diskFaults: RegExp
  /** Words of faults in which the process gets no time, so that it cannot say that it lives. */
  readonly stallFaults: RegExp
  /** Words of faults after which times tell nothing of how long the process took. */
  readonly timeFaults: RegExp
  /** Words of faults in which a venue's clock jumps. */
  readonly clockFaults: RegExp
  /** Words of faults that spoil a frame which still says whose it is. */
  readonly spoiltFaults: RegExp
  /** Words of faults in which a market stands still: no reason for a stream to be without a connection, or a book stale. */
  readonly quietFaults: RegExp
  /** Words of faults in which an answer to a subscription does not come, or late. */
  readonly answerFaults: RegExp
  /** Words of faults in which a venue has no such symbol. */
  readonly unlistedFaults: RegExp
  /** Words of faults in which a venue says that it sends what it does not. */
  readonly untrueFaults: RegExp
  /** So many changes in a row may leave a book crossed. */
  readonly crossedMax: number
  /** A silent connection is found within this, also one whose usual rate is not known yet; since its market moves, if all of it stood still. */
  readonly deadLinkUs: number
  /** Likewise one on which not even answers to pings come. */
  readonly deafLinkUs: number
  /** What a venue refuses is told within this. */
  readonly toldUs: number
  /** What a venue refused for good is asked for again with a new list of instruments: so long after the last one at the earliest. */
  readonly listedUs: number
  /** What a venue refused for the first time is asked for again within this. */
  readonly askedAgainUs: number
  /** The same, if the venue had refused nothing before, but for others within `settledUs`. */
  readonly askedSoonUs: number
  readonly settledUs: number
  /** Words of faults that end connections, and nothing else. */
  readonly endFaults: RegExp
  /** A stream is back so long after the last fault that touches it. */
  readonly backUs: number
  /** A book that had held is live again within this. */
  readonly bookBackUs: number
  /** Trades that are lost at the end of a stream are found within this. */
  readonly unfoundUs: number
  /** For each connection to a venue at most `count` within `us` may have lived for less than `livedUs`. */
  readonly dials: { readonly count: number; readonly us: number; readonly livedUs: number }
  /** Newest trades that the venues keep. */
  readonly tradesKept: number
  /** Trades younger than this at the end need not have arrived. */
  readonly settleUs: number
  /** A fault shows at the latest so long after its end. */
  readonly detectionUs: number
  /** Frames lost in a row on a connection that goes on are an outage if they are so many, over so long. */
  readonly silence: Silence
  /** A gap may start so long before the last message, or (`processUs`) before the end of the process. */
  readonly startUs: number
  readonly processUs: number
  /** Two times so close are one. */
  readonly slackUs: number
  /** So many levels a side of a live book must be there, if the true book has them. */
  readonly levels: number
  /** More violations are counted, but not kept. */
  readonly violationsMax: number
}

const SECOND = 1_000_000

/** Where the venue numbers trades beside their ids, `sequence`; an aggregate names its first and last. */
export function numbersOf({ sequence, trade_id, first_trade_id, last_trade_id }: Trade): Numbers | undefined {
  if (sequence !== undefined) return { first: sequence, last: sequence }
  const first = Number(first_trade_id ?? trade_id)
  const last = Number(last_trade_id ?? trade_id)
  return Number.isSafeInteger(first) && Number.isSafeInteger(last) && first <= last ? { first, last } : undefined
}

/** Binance's aggregates have running ids of their own, which gaps count; elsewhere gaps count trades. */
export function countersOf(trade: Trade): Numbers | undefined {
  if (trade.exchange !== 'binance') return numbersOf(trade)
  const { trade_id } = trade
  return trade_id === undefined ? undefined : numbersOf({ ...trade, first_trade_id: trade_id, last_trade_id: trade_id })
}

const CHAINS: Readonly<Record<string, Chain>> = { binance: 'range', 'binance-usdm': 'previous_joined' }

export const DEFAULTS: OracleOptions = {
  numbersOf,
  countersOf,
  chainOf: (venue) => CHAINS[venue] ?? 'previous',
  isRuleAllowed: () => false,
  permanentFaults: /delist|refused(-long)?$|left-out$|absurd/,
  harmlessFaults: /^(close-announced-early|handover-lagging|rest-scarce)$/,
  lagFaults: /^handover-lagging$/,
  restFaults: /^rest|ban/,
  diskFaults: /^disk|^sync/,
  stallFaults: /stall/,
  timeFaults: /stall|wall/,
  clockFaults: /^venue-clock/,
  spoiltFaults: /^frame-(cut|mistyped)$/,
  quietFaults: /^market-|^rest-scarce$/,
  answerFaults: /^answer-/,
  unlistedFaults: /^symbol-/,
  untrueFaults: /silent$/,
  crossedMax: 3,
  deadLinkUs: 70 * SECOND,
  deafLinkUs: 16 * SECOND,
  toldUs: 5 * SECOND,
  listedUs: 500 * SECOND,
  askedAgainUs: 45 * SECOND,
  askedSoonUs: 7 * SECOND,
  settledUs: SECOND / 2,
  endFaults: /^(socket-(reset|eof|closed)|venue-sockets-reset)$/,
  backUs: Number.POSITIVE_INFINITY,
  bookBackUs: Number.POSITIVE_INFINITY,
  unfoundUs: Number.POSITIVE_INFINITY,
  dials: { count: 20, us: 20 * SECOND, livedUs: 2 * SECOND },
  tradesKept: 1_000,
  settleUs: 2 * SECOND,
  detectionUs: 30 * SECOND,
  silence: { frames: 100, us: 60 * SECOND },
  startUs: SECOND,
  processUs: 2 * SECOND,
  slackUs: 10_000,
  levels: 20,
  violationsMax: 10_000,
}

/**
 * In a run a loss at the end of a stream is found by asking the venue, within a minute of silence; and what is lost comes
 * back as soon as the collector's longest waits allow.
 */
export const RUN_OPTIONS: Partial<OracleOptions> = {
  settleUs: 75 * SECOND,
  unfoundUs: 75 * SECOND,
  backUs: 330 * SECOND,
  bookBackUs: 100 * SECOND,
}

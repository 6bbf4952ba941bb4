/**
 * What happened in one simulated run, in order: the venues' side (the truth), the faults, and what left the collector.
 * The world writes it, the oracle judges it; neither knows how the collector works.
 */

import type { Channel, EpochUs, Level, MarketEvent } from '../model/event.ts'

/** One stream of one symbol. `channel` of the simulators' own streams beside ours is left out of the trace. */
export interface StreamKey {
  readonly venue: string
  readonly channel: Channel
  readonly symbol: string
}

export type TraceEntry =
  /** The true market made these trades, in its own running numbers (which count up by one for each instrument). */
  | {
      readonly kind: 'traded'
      readonly atUs: EpochUs
      readonly venue: string
      readonly symbol: string
      readonly first: number
      readonly last: number
    }
  /** The market numbers trades anew: numbers are used again. Those made before have an exchange time before `venueUs`. */
  | {
      readonly kind: 'renumbered'
      readonly atUs: EpochUs
      readonly venue: string
      readonly symbol: string
      readonly venueUs: EpochUs
    }
  /** A venue had a data frame for a connection that had subscribed to the stream. */
  | (StreamKey & {
      readonly kind: 'frame'
      readonly atUs: EpochUs
      readonly connection: number
      /** `delivered`: handed to the collector unharmed at `atUs`; `lost`: never, or spoilt. A frame that is only late is `delivered` when it arrives. */
      readonly fate: 'delivered' | 'lost'
    })
  /**
   * A venue accepted a subscription: whatever the stream has from now on goes to this connection too. Without it a
   * stream counts as carried from its first delivered frame, and a second connection that takes over a quiet stream
   * looks like an outage. `unsubscribed`: the connection's client gave it up.
   */
  | (StreamKey & {
      readonly kind: 'subscribed' | 'unsubscribed'
      readonly atUs: EpochUs
      readonly connection: number
    })
  /**
   * Someone dialled; the connection opened, or ended for the collector, or stopped carrying data for good (frozen) while
   * it stayed open.
   */
  | {
      readonly kind: 'connection'
      readonly atUs: EpochUs
      readonly venue: string
      readonly connection: number
      readonly state: 'dialled' | 'open' | 'frozen' | 'thawed' | 'closed'
      /** Of one that is dialled: what it is for. */
      readonly endpoint?: string
      /** Of one that is frozen: not even answers to pings come. */
      readonly isDeaf?: boolean
      /** Of one that is closed: by the collector. */
      readonly isOurs?: boolean
    }
  /** The collector asked a venue for a stream, by the venue's name of it. */
  | {
      readonly kind: 'asked'
      readonly atUs: EpochUs
      readonly venue: string
      readonly stream: string
      readonly answer: 'taken' | 'refused' | 'busy' | 'silent'
    }
  /** What the collector told of a stream, some seconds after the venue had refused it. */
  | (StreamKey & {
      readonly kind: 'shown'
      readonly atUs: EpochUs
      /** The venue's name of it. */
      readonly stream: string
      readonly state: string
      readonly reason: string
      readonly hasOpenGap: boolean
    })
  /**
   * A fault struck. `venue` and the others absent: it can touch everything. What it names is what its effects are
   * confined to: a reset that was planned for one symbol's frames names the connection only.
   */
  | (Partial<StreamKey> & {
      readonly kind: 'fault'
      readonly atUs: EpochUs
      readonly fault: string
      /** When its cause ends, as far as that is known when it strikes. */
      readonly untilUs?: EpochUs
      /** It struck before; it ends at another time than was told then. */
      readonly isAgain?: true
      readonly connection?: number
    })
  /** The venue counted a broken rule of its own (a limit, a request during a ban). */
  | { readonly kind: 'violation'; readonly atUs: EpochUs; readonly venue: string; readonly rule: string }
  /** `killed`: nothing was told; what had not been synced is gone if `isPowerLoss`. `stopped`: in order. */
  | {
      readonly kind: 'process'
      readonly atUs: EpochUs
      readonly state: 'started' | 'killed' | 'stopped'
      readonly isPowerLoss?: boolean
    }
  /** An event left the collector. */
  | { readonly kind: 'event'; readonly atUs: EpochUs; readonly event: MarketEvent }
  /** The gap event with this id became durable. */
  | { readonly kind: 'durable'; readonly atUs: EpochUs; readonly id: string }
  /** The markets have stood still for long enough that everything should have arrived; the true book, and the collector's answer. */
  | {
      readonly kind: 'checkpoint'
      readonly atUs: EpochUs
      readonly venue: string
      readonly symbol: string
      readonly truth: { readonly bids: readonly Level[]; readonly asks: readonly Level[] }
      readonly served: { readonly state: string; readonly bids: readonly Level[]; readonly asks: readonly Level[] }
    }
  /** The end: faults stopped long ago, all was given time to recover. States of the feeds as the API tells them. */
  | (StreamKey & { readonly kind: 'end'; readonly atUs: EpochUs; readonly state: string; readonly reason: string })

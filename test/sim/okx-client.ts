import { expect } from 'vitest'
import type { Level } from '../../src/model/event.ts'
import type { FakeClient, Message, Stage } from './fake-peer.ts'

export const PUBLIC = '/ws/v5/public'
export const BUSINESS = '/ws/v5/business'
export const BTC = 'BTC-USDT'

type Row = [price: string, quantity: string, deprecated: string, orders: string]
export interface BookData {
  asks: Row[]
  bids: Row[]
  ts: string
  checksum?: number
  prevSeqId: number
  seqId: number
}

export const subscription = (channel: string, instId: string, id = 'a1', op = 'subscribe') => ({
  id,
  op,
  args: [{ channel, instId }],
})
const channelOf = (message: Message) => (message.arg as { channel?: string } | undefined)?.channel
export const dataOf = <Data>(message: Message | undefined) => (message as { data: Data[] }).data[0] as Data
export const pushes = (messages: Message[], channel: string) =>
  messages.filter((message) => channelOf(message) === channel && message.data !== undefined)

/** What a client keeps of channel `books`, by the venue's published steps. */
export class ClientBook {
  bids = new Map<string, string>()
  asks = new Map<string, string>()
  last = Number.NaN

  apply(message: Message): void {
    const data = dataOf<BookData>(message)
    if (message.action === 'snapshot') {
      this.bids.clear()
      this.asks.clear()
      expect(data.prevSeqId).toBe(-1)
    } else expect(data.prevSeqId).toBe(this.last)
    this.last = data.seqId
    for (const side of ['bids', 'asks'] as const) {
      for (const [price, quantity] of data[side]) {
        if (quantity === '0') this[side].delete(price)
        else this[side].set(price, quantity)
      }
      const trimmed = this.sorted(side).slice(0, 400)
      this[side] = new Map(trimmed)
    }
  }

  sorted(side: 'bids' | 'asks'): [string, string][] {
    const sign = side === 'bids' ? -1 : 1
    return [...this[side]].sort(([a], [b]) => sign * (Number(a) - Number(b)))
  }
}

const plainLevels = (levels: readonly Level[]) =>
  levels.slice(0, 400).map(([price, quantity]) => [String(Number(price)), Number(quantity)])
export const expectTruth = (book: ClientBook, { market }: Stage, symbol: string) => {
  const truth = market.book(symbol)
  for (const side of ['bids', 'asks'] as const) {
    expect(book.sorted(side).map(([price, quantity]) => [price, Number(quantity)])).toEqual(plainLevels(truth[side]))
  }
}

export function subscribed(venue: Stage, channel: string, symbol = BTC, path = PUBLIC): FakeClient {
  const client = venue.connect(path)
  client.say(subscription(channel, symbol))
  return client
}

import { expect } from 'vitest'
import type { Level } from '../../src/model/event.ts'
import type { FakeClient, Message, Stage } from './fake-peer.ts'

export const PATH = '/ws/api/v2'
export const BTC = 'BTC-PERPETUAL'
export const BOOK = `book.${BTC}.100ms`

type Row = [kind: string, price: number, amount: number]
export interface BookData {
  type: string
  change_id: number
  prev_change_id?: number
  bids: Row[]
  asks: Row[]
}

export const call = (client: FakeClient, method: string, params?: unknown, id: unknown = 1): Message => {
  client.take()
  client.say({ jsonrpc: '2.0', id, method, params })
  return client.take()[0] ?? {}
}
export const subscribe = (client: FakeClient, ...channels: string[]) =>
  client.say({ jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: { channels } })
export const errorOf = (message: Message) => message.error as { code: number; message: string; data: unknown }
export const notifications = <Data>(messages: Message[], channel: string) =>
  messages
    .filter((message) => message.method === 'subscription')
    .map((message) => message.params as { channel: string; data: Data })
    .filter((params) => params.channel === channel)
    .map(({ data }) => data)

/** What a client keeps of a book channel, by the venue's published steps. Strict: it refuses rows that make no sense. */
export class ClientBook {
  bids = new Map<number, number>()
  asks = new Map<number, number>()
  last = Number.NaN

  apply(data: BookData): void {
    if (data.type === 'snapshot') {
      this.bids.clear()
      this.asks.clear()
      expect(data).not.toHaveProperty('prev_change_id')
    } else expect(data.prev_change_id).toBe(this.last)
    this.last = data.change_id
    for (const side of ['bids', 'asks'] as const) {
      for (const [kind, price, amount] of data[side]) {
        expect(this[side].has(price)).toBe(kind !== 'new')
        if (kind === 'delete') {
          expect(amount).toBe(0)
          this[side].delete(price)
        } else this[side].set(price, amount)
      }
    }
  }

  sorted(side: 'bids' | 'asks'): [number, number][] {
    return [...this[side]].sort(([a], [b]) => (side === 'bids' ? b - a : a - b))
  }
}

export const numbers = (levels: readonly Level[]) => levels.map(([price, amount]) => [Number(price), Number(amount)])
export const expectTruth = (book: ClientBook, { market }: Stage) => {
  expect(book.sorted('bids')).toEqual(numbers(market.book(BTC).bids))
  expect(book.sorted('asks')).toEqual(numbers(market.book(BTC).asks))
}

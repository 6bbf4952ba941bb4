import { expect, test } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import { createFaultPlan, type FaultSpec } from '../../src/sim/faults.ts'
import { createPeer } from '../../src/sim/peer.ts'
import type { PeerSocket } from '../../src/sim/peer-socket.ts'
import { forge, spoil } from '../../src/sim/tamper.ts'
import { manualClock } from './helpers.ts'

const BOOK = { channel: 'book', symbol: 'BTC-USDT' }
const TRADES = { channel: 'trade', symbol: 'BTC-USDT' }

/** A peer whose socket keeps what it is given. */
function stage(...specs: FaultSpec[]) {
  const clock = manualClock()
  const fired: string[] = []
  const faults = createFaultPlan(
    seededRandom(1),
    () => 0,
    ({ kind }) => fired.push(kind),
  )
  for (const spec of specs) faults.add(spec)
  const sent: string[] = []
  const fates: string[] = []
  const state = { isOpen: true, isReset: false }
  const peer = createPeer({
    id: 1,
    venue: 'okx',
    client: 'tester',
    path: '/',
    query: new URLSearchParams(),
    faults,
    clock,
    reset: () => {
      state.isReset = true
    },
    onSent: () => {},
    onFate: (channel, _symbol, { isDelivered }) => fates.push(`${channel} ${isDelivered}`),
  })
  const socket: PeerSocket = {
    get isOpen() {
      return state.isOpen
    },
    bufferedBytes: 0,
    send: (data, arrived) => {
      sent.push(data.toString())
      arrived?.(true)
    },
    ping: () => sent.push('ping'),
    pong: () => sent.push('pong'),
    close: (code) => sent.push(`close ${code}`),
  }
  peer.attach(socket)
  return { clock, peer, sent, fates, fired, state }
}

test('a rewound stream sends its last frames again, of this stream only', () => {
  const { peer, sent, fates } = stage({ kind: 'rewind', channel: 'book', frames: 2, skip: 3 })
  for (const text of ['a', 'b', 'c']) peer.send(BOOK, text)
  peer.send(TRADES, 't')
  peer.send(BOOK, 'd')
  peer.send(BOOK, 'e')
  expect(sent).toEqual(['a', 'b', 'c', 't', 'd', 'b', 'c', 'e'])
  expect(fates).toEqual(['book true', 'book true', 'book true', 'trade true', 'book true', 'book true'])
})

test('a muted stream is silent until the client asks for its symbol again', () => {
  const { peer, sent, fates } = stage({ kind: 'mute', channel: 'book' })
  peer.send(BOOK, 'a')
  peer.send(TRADES, 't')
  peer.send(BOOK, 'b')
  expect([sent, peer.isMuted]).toEqual([['t'], true])
  peer.heard('{"op":"subscribe","args":[{"channel":"books","instId":"ETH-USDT"}]}')
  peer.send(BOOK, 'c')
  expect(peer.isMuted).toBe(true)
  peer.heard('{"op":"subscribe","args":[{"channel":"books","instId":"btc-usdt"}]}')
  peer.send(BOOK, 'd')
  expect(sent).toEqual(['t', 'd'])
  expect(fates).toEqual(['book false', 'trade true', 'book false', 'book false', 'book true'])
})

test('answers are met by faults that name them, and by no others', () => {
  const { clock, peer, sent } = stage(
    { kind: 'drop' },
    { kind: 'drop', channel: 'answer' },
    { kind: 'delay', channel: 'answer', ms: 100 },
    { kind: 'duplicate', channel: 'answer' },
  )
  peer.sendControl('pong')
  peer.sendControl('{"id":"1"}')
  peer.sendControl('{"id":"2"}')
  peer.sendControl('{"id":"3"}')
  expect(sent).toEqual(['pong', '{"id":"3"}', '{"id":"3"}'])
  clock.advance(100)
  expect(sent.at(-1)).toBe('{"id":"2"}')
  peer.send(BOOK, 'lost')
  peer.send(BOOK, 'sent')
  expect(sent.slice(4)).toEqual(['sent'])
})

test('what is held, delayed, frozen or too late is told as it ends', () => {
  const { clock, peer, sent, fates, state } = stage(
    { kind: 'reorder', channel: 'book' },
    { kind: 'delay', channel: 'trade', ms: 50 },
  )
  peer.send(BOOK, 'a')
  expect([sent, peer.isHolding('book BTC-USDT')]).toEqual([[], true])
  peer.send(BOOK, 'b')
  peer.send(TRADES, 't')
  peer.send(BOOK, 'c')
  expect(sent).toEqual(['b', 'a'])
  clock.advance(60)
  expect(sent).toEqual(['b', 'a', 't', 'c'])
  peer.freeze(false)
  peer.send(BOOK, 'd')
  peer.pong(Buffer.alloc(0))
  peer.thaw()
  peer.pong(Buffer.alloc(0))
  state.isOpen = false
  peer.send(BOOK, 'e')
  expect(sent).toEqual(['b', 'a', 't', 'c', 'pong'])
  expect(fates).toEqual(['book true', 'book true', 'trade true', 'book true', 'book false', 'book false'])
})

test('a held frame can be released', () => {
  const { peer, sent, fates } = stage({ kind: 'reorder' })
  peer.send(BOOK, 'a')
  expect(sent).toEqual([])
  peer.release()
  peer.send(BOOK, 'b')
  expect([sent, fates]).toEqual([
    ['a', 'b'],
    ['book true', 'book true'],
  ])
})

test('a fault tells when it strikes', () => {
  const { peer, fired, state } = stage({ kind: 'reset', channel: 'trade' })
  peer.send(BOOK, 'a')
  expect(fired).toEqual([])
  peer.send(TRADES, 't')
  expect([fired, state.isReset]).toEqual([['reset'], true])
})

test('frames are spoilt in each way', () => {
  const text = '{"data":[{"p":"1"}]}'
  expect(() => JSON.parse(spoil(text, 'truncated').toString())).toThrow()
  expect(JSON.parse(spoil(text, 'type').toString())).toEqual({ data: [{ p: {}, spoilt: '1' }] })
  expect(JSON.parse(spoil(text, 'fields').toString())).toMatchObject({ data: [{ p: '1' }] })
  expect(spoil(text, 'garbage').toString()).not.toContain('"')
  expect(spoil(text, 'huge').length).toBeGreaterThan(16 * 2 ** 20)
  const bytes = spoil(text, 'utf8') as Buffer
  expect(bytes.toString('utf8')).toContain('\ufffd')
})

test('a level is forged into the books of every venue, in its own form', () => {
  const bids = (text: string | undefined) => {
    const value = JSON.parse(text ?? '') as Record<string, never>
    const { b, data, params } = value as {
      b?: unknown[]
      data?: { bids: unknown[] }[]
      params?: { data: { bids: unknown[] } }
    }
    return b ?? data?.[0]?.bids ?? params?.data.bids
  }
  expect(bids(forge('{"b":[["100.5","1"]],"a":[]}', 'ghost'))).toEqual([
    ['100.5', '1'],
    ['91', '7654321'],
  ])
  expect(bids(forge('{"data":[{"asks":[],"bids":[["100","1","0","4"]]}]}', 'crossed'))).toEqual([
    ['120', '7654321', '0', '4'],
    ['100', '1', '0', '4'],
  ])
  expect(bids(forge('{"params":{"data":{"bids":[],"asks":[["delete",100.0,0.0]]}}}', 'ghost'))).toEqual([
    ['new', 90, 7_654_321],
  ])
  expect(forge('{"result":null}', 'ghost')).toBeUndefined()
})

test('what waits on a connection whose client is gone is lost', () => {
  const swapped = stage({ kind: 'reorder', channel: 'book' })
  swapped.peer.send(BOOK, 'a')
  swapped.peer.discard()
  expect([swapped.sent, swapped.fates]).toEqual([[], ['book false']])
  const late = stage({ kind: 'delay', channel: 'book', ms: 500 })
  late.peer.send(BOOK, 'a')
  late.peer.send(TRADES, 't')
  late.peer.discard()
  late.peer.discard()
  expect([late.sent, late.fates]).toEqual([[], ['book false', 'trade false']])
})

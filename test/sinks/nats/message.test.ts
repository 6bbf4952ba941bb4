/** Messages as bytes, and the blocks that they are gathered in. */

import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { digitsOf, readDigits, writeDigits } from '../../../src/sinks/nats/digits.ts'
import { idOf, type Message, messageWriter } from '../../../src/sinks/nats/message.ts'
import { Outgoing, RUN_MAX } from '../../../src/sinks/nats/outgoing.ts'
import type { Pending } from '../../../src/sinks/nats/window.ts'
import { Work } from '../../../src/sinks/nats/work.ts'
import type { LogRecord } from '../../../src/spool/frame.ts'
import { record } from './rig.ts'

const writer = messageWriter({ prefix: 'market', logId: 'log', bytesMax: 1_000_000, inbox: '_INBOX.x.' })

function messageOf(of: LogRecord): Message {
  const made = writer.messageOf(of)
  if ('refusal' in made) throw new Error(made.refusal)
  return made
}

interface Wanted {
  readonly id: string
  readonly lsn: number
  readonly body: Buffer
  /** `undefined`: the server is not to answer. */
  readonly sending: number | undefined
}

/** What the server must get. */
function wanted({ id, lsn, body, sending }: Wanted): string {
  const headers = `NATS/1.0\r\nNats-Msg-Id: ${id}\r\nMp-Lsn: ${lsn}\r\nMp-Log: log\r\nContent-Type: application/json\r\n\r\n`
  const headerBytes = Buffer.byteLength(headers)
  const reply = sending === undefined ? '' : `_INBOX.x.${sending} `
  const command = `HPUB market.trade.acme.spot.BTCUSDT ${reply}${headerBytes} ${headerBytes + body.length}`
  return `${command}\r\n${headers}${body}\r\n`
}

const lsns = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })

test('a message has the bytes that the protocol wants, whatever the id', () => {
  const ids = fc.oneof(
    fc.stringMatching(/^[!-~]+$/),
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.string({ unit: 'binary', minLength: 1 }),
  )
  fc.assert(
    fc.property(ids, lsns, fc.option(lsns, { nil: undefined }), (id, lsn, sending) => {
      const given = { ...record(1, 'BTCUSDT', 'trade', { id }), lsn }
      const message = writer.messageOf(given)
      const isFit = !/[\p{Cc}]|^\s|\s$/u.test(id)
      if ('refusal' in message) {
        expect(isFit, id).toBe(false)
        return
      }
      const target = Buffer.alloc(writer.room(message) + 3)
      const end = writer.write(message, sending, target, 3)
      expect(target.subarray(3, end).toString()).toBe(wanted({ id, lsn, body: given.body, sending }))
      expect(idOf(message)).toBe(id)
    }),
    { seed: 1, numRuns: 200 },
  )
})

test('digits are those of the number', () => {
  fc.assert(
    fc.property(lsns, (number) => {
      const bytes = Buffer.alloc(20)
      const end = writeDigits(bytes, number, 2)
      expect(bytes.subarray(2, end).toString()).toBe(String(number))
      expect(end - 2).toBe(digitsOf(number))
      expect(readDigits(bytes, 2, end)).toBe(number)
    }),
    { seed: 1 },
  )
  expect(readDigits(Buffer.from('12a'), 0, 3)).toBeNaN()
  expect(readDigits(Buffer.from('12'), 1, 1)).toBeNaN()
})

describe('messages that are gathered', () => {
  const sent: { readonly bytes: Uint8Array; readonly text: string }[] = []
  let outgoing: Outgoing

  beforeEach(() => {
    sent.length = 0
    outgoing = new Outgoing(writer, (bytes) => sent.push({ bytes, text: Buffer.from(bytes).toString() }))
  })

  function add(lsn: number, isAlone = false, more: object = {}): Pending {
    const message = messageOf(record(lsn, 'BTCUSDT', 'trade', more))
    const pending = { message, work: new Work(), firstMs: 0, sentMs: 0, isAsking: true }
    outgoing.add(pending, lsn, isAlone)
    return pending
  }

  /** The number of each message that was sent, with `?` where it asks. */
  const story = (): string =>
    [
      ...sent
        .map(({ text }) => text)
        .join('')
        .matchAll(/HPUB \S+ (_INBOX\S+ )?\d+ .*\r\n(?:.+\r\n)*?Mp-Lsn: (\d+)/g),
    ]
      .map(([, reply, lsn]) => `${lsn}${reply === undefined ? '' : '?'}`)
      .join(' ')

  test('never change once they were handed over, and all of them are, in order', () => {
    let all = ''
    let run = 0
    for (let lsn = 1; lsn <= 2000; lsn++) {
      const { message } = add(lsn, false, lsn === 700 ? { note: 'x'.repeat(100_000) } : {})
      const isLast = lsn % 300 === 0 || lsn === 2000 || ++run === RUN_MAX
      if (isLast) run = 0
      const { body } = message.record
      all += wanted({ id: `acme:trade:BTCUSDT:0:${lsn}`, lsn, body, sending: isLast ? lsn : undefined })
      if (lsn % 300 === 0) outgoing.flush()
    }
    outgoing.flush()
    outgoing.flush()
    expect(sent.map(({ text }) => text).join('')).toBe(all)
    expect(sent.every(({ bytes, text }) => Buffer.from(bytes).toString() === text)).toBe(true)
    expect(sent.length, 'many in one piece').toBeLessThan(30)
  })

  test('share the answer to the last of them', () => {
    const first = [add(1), add(2), add(3)]
    outgoing.flush()
    add(4)
    outgoing.flush()
    expect(story()).toBe('1 2 3? 4?')
    expect(first.map(({ isAsking }) => isAsking)).toEqual([false, false, true])
  })

  test('have an answer of their own when they are not to share one', () => {
    add(1)
    add(2, true)
    add(3, true)
    add(4)
    outgoing.flush()
    expect(story()).toBe('1? 2? 3? 4?')
  })
})

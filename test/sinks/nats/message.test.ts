/** Messages as bytes, and the blocks that they are gathered in. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digitsOf, readDigits, writeDigits } from '../../../src/sinks/nats/digits.ts'
import { idOf, type Message, messageWriter } from '../../../src/sinks/nats/message.ts'
import { Outgoing } from '../../../src/sinks/nats/outgoing.ts'
import type { LogRecord } from '../../../src/spool/frame.ts'
import { record } from './rig.ts'

const writer = messageWriter({ prefix: 'market', logId: 'log', bytesMax: 1_000_000, inbox: '_INBOX.x.' })

function messageOf(of: LogRecord): Message {
  const made = writer.messageOf(of)
  if ('refusal' in made) throw new Error(made.refusal)
  return made
}

/** What the server must get. */
function wanted(id: string, lsn: number, body: Buffer, subject: string, sending: number): string {
  const headers = `NATS/1.0\r\nNats-Msg-Id: ${id}\r\nMp-Lsn: ${lsn}\r\nMp-Log: log\r\nContent-Type: application/json\r\n\r\n`
  const headerBytes = Buffer.byteLength(headers)
  return `HPUB ${subject} _INBOX.x.${sending} ${headerBytes} ${headerBytes + body.length}\r\n${headers}${body}\r\n`
}

const lsns = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })

test('a message has the bytes that the protocol wants, whatever the id', () => {
  const ids = fc.oneof(
    fc.stringMatching(/^[!-~]+$/),
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.string({ unit: 'binary', minLength: 1 }),
  )
  fc.assert(
    fc.property(ids, lsns, lsns, (id, lsn, sending) => {
      const given = { ...record(1, 'BTCUSDT', 'trade', { id }), lsn }
      const message = writer.messageOf(given)
      const isFit = !/[\p{Cc}]|^\s|\s$/u.test(id)
      if ('refusal' in message) {
        expect(isFit, id).toBe(false)
        return
      }
      const target = Buffer.alloc(writer.room(message) + 3)
      const end = writer.write(message, sending, target, 3)
      expect(target.subarray(3, end).toString()).toBe(
        wanted(id, lsn, given.body, 'market.trade.acme.spot.BTCUSDT', sending),
      )
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

test('what was handed over never changes again, and all of it is handed over, in order', () => {
  const sent: { readonly bytes: Uint8Array; readonly text: string }[] = []
  const outgoing = new Outgoing(writer, (bytes) => sent.push({ bytes, text: Buffer.from(bytes).toString() }))
  let all = ''
  for (let lsn = 1; lsn <= 2000; lsn++) {
    const given = record(lsn, 'BTCUSDT', 'trade', lsn === 700 ? { note: 'x'.repeat(100_000) } : {})
    outgoing.add(messageOf(given), lsn)
    all += wanted(`acme:trade:BTCUSDT:0:${lsn}`, lsn, given.body, 'market.trade.acme.spot.BTCUSDT', lsn)
    if (lsn % 300 === 0) outgoing.flush()
  }
  outgoing.flush()
  outgoing.flush()
  expect(sent.map(({ text }) => text).join('')).toBe(all)
  expect(sent.every(({ bytes, text }) => Buffer.from(bytes).toString() === text)).toBe(true)
  expect(sent.length, 'many in one piece').toBeLessThan(30)
})

/** What a session knows for certain of the stream while it publishes. */

import type { NatsConnection } from '@nats-io/transport-node'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/platform/clock.ts'
import type { Checkpoint } from '../../../src/sinks/nats/checkpoint.ts'
import type { Publisher } from '../../../src/sinks/nats/publisher.ts'
import { Session } from '../../../src/sinks/nats/session.ts'

const never = new Promise<void>(() => {})
const connection = {
  closed: () => never,
  close: async () => {},
  status: () => ({ [Symbol.asyncIterator]: () => ({ next: () => never }) }),
} as unknown as NatsConnection

const base = { logId: 'log', stream: 'S', created: 't' }

function begin(start: { checkpoint?: Checkpoint; lastSeq: number; highestLsn: number }) {
  const publisher = {
    sentLsn: 0,
    ackedSeq: start.checkpoint?.ackedSeq ?? 0,
    ackedLsn: start.checkpoint?.ackedLsn ?? 0,
    settledLsn: 0,
    fail: () => {},
  }
  let tick = (): void => {}
  const saved: Checkpoint[] = []
  const session = new Session({
    connection,
    publisher: publisher as unknown as Publisher,
    clock: {
      ...systemClock(),
      every(_ms, action) {
        tick = action
        return () => {}
      },
    },
    base,
    checkpoint: start.checkpoint,
    lastSeq: start.lastSeq,
    highestLsn: start.highestLsn,
    save: async (checkpoint) => void saved.push(checkpoint),
  })
  const after = (state: Partial<typeof publisher>): void => {
    Object.assign(publisher, state)
    tick()
  }
  return { session, after, saved }
}

test('a record is certain when all up to it has its answer, and what follows stands behind the mark', async () => {
  const { session, after, saved } = begin({ lastSeq: 100, highestLsn: 0 })
  after({ sentLsn: 10, settledLsn: 4, ackedSeq: 104, ackedLsn: 4 })
  after({ sentLsn: 20, settledLsn: 8, ackedSeq: 110, ackedLsn: 10 })
  expect(saved).toEqual([])
  after({ sentLsn: 30, settledLsn: 12, ackedSeq: 115, ackedLsn: 15 })
  expect(await session.close(new Error('test'))).toEqual({
    ...base,
    lsn: 12,
    floorSeq: 104,
    ackedSeq: 115,
    ackedLsn: 15,
  })
  expect(saved).toEqual([{ ...base, lsn: 12, floorSeq: 104, ackedSeq: 115, ackedLsn: 15 }])
})

test('all is certain when nothing is under way at the end', async () => {
  const { session, after } = begin({ lastSeq: 100, highestLsn: 0 })
  after({ sentLsn: 10, settledLsn: 10, ackedSeq: 110, ackedLsn: 10 })
  const certain = await session.close(new Error('test'))
  expect(certain).toEqual({ ...base, lsn: 10, floorSeq: 110, ackedSeq: 110, ackedLsn: 10 })
})

test('the floor stays in front of what stood alone in the stream, until that is reached', async () => {
  const checkpoint = { ...base, lsn: 10, floorSeq: 90, ackedSeq: 95, ackedLsn: 10 }
  const { session, after } = begin({ checkpoint, lastSeq: 100, highestLsn: 15 })
  after({ sentLsn: 12, settledLsn: 12, ackedSeq: 102, ackedLsn: 12 })
  after({ sentLsn: 14, settledLsn: 14, ackedSeq: 104, ackedLsn: 14 })
  const certain = await session.close(new Error('test'))
  expect(certain).toEqual({ ...checkpoint, lsn: 14, ackedSeq: 104, ackedLsn: 14 })
})

test('a session that does less than the one before makes nothing less certain', async () => {
  const checkpoint = { ...base, lsn: 10, floorSeq: 90, ackedSeq: 95, ackedLsn: 10 }
  const { session } = begin({ checkpoint, lastSeq: 100, highestLsn: 10 })
  expect(await session.close(new Error('test'))).toMatchObject({ lsn: 10, floorSeq: 90 })
})

/** The hub alone: what it writes to its clients, and when. */

import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { STREAM_LIMITS, StreamHub } from '../../src/api/stream/hub.ts'
import type { MarketEvent } from '../../src/model/event.ts'
import { silentLogger } from '../../src/ops/log.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { turn } from '../../src/platform/turn.ts'
import { httpMetrics } from '../../src/service/http-metrics.ts'
import { createWorld } from '../helpers/world.ts'

const ALL = { types: undefined, venues: undefined, symbols: undefined }

type Listener = (event: MarketEvent, bytes: () => Buffer) => void

function rig() {
  const world = createWorld()
  const log: string[] = []
  let publish: Listener = () => {}
  const hub = new StreamHub({
    view: {
      subscribe(listener) {
        publish = listener
        return () => {}
      },
    },
    clock: world.clock,
    logger: silentLogger,
    metrics: httpMetrics(createMetrics({ venues: [], constLabels: {} })),
    read: () => ({ op: 'subscribe', filter: ALL }),
    limits: STREAM_LIMITS,
  })
  const join = (name: string) => {
    const note = (what: string) => () => void log.push(`${name} ${what}`)
    const send = (data: string | Buffer) => void log.push(`${name} ${data}`)
    const socket = { bufferedAmount: 0, send, ping: note('ping'), close: note('close') }
    const transport = new PassThrough()
    transport.cork = note('cork')
    transport.uncork = note('uncork')
    transport.on('error', ({ message }) => void log.push(`${name} ${message}`))
    return hub.add(socket, transport, name)
  }
  const send = (id: string) => publish({ type: 'trade', id } as MarketEvent, () => Buffer.from(id))
  return { world, log, join, send }
}

test('the events of one turn leave each client’s socket together', async () => {
  const { log, join, send } = rig()
  for (const name of ['a', 'b']) join(name).message('')
  log.length = 0
  for (const id of ['1', '2']) send(id)
  expect(log).toEqual(['a cork', 'a 1', 'b cork', 'b 1', 'a 2', 'b 2'])
  await turn()
  expect(log.slice(6)).toEqual(['a uncork', 'b uncork'])
  send('3')
  expect(log.slice(8)).toEqual(['a cork', 'a 3', 'b cork', 'b 3'])
})

test('with many clients the events of some milliseconds do', async () => {
  const { world, log, join, send } = rig()
  for (let client = 0; client <= STREAM_LIMITS.fewClients; client++) join(`${client}`).message('')
  log.length = 0
  send('a')
  await turn()
  await world.clock.advance(STREAM_LIMITS.gatherMs - 1)
  send('b')
  expect(log.filter((line) => line.startsWith('0 '))).toEqual(['0 cork', '0 a', '0 b'])
  await world.clock.advance(1)
  expect(log.filter((line) => line.startsWith('0 '))).toEqual(['0 cork', '0 a', '0 b', '0 uncork'])
})

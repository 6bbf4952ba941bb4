/** The hub alone: what it writes to its clients, and when. */

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

test('the events of one turn leave each client’s socket together', async () => {
  const log: string[] = []
  let publish: Listener = () => {}
  const hub = new StreamHub({
    view: {
      subscribe(listener) {
        publish = listener
        return () => {}
      },
    },
    clock: createWorld().clock,
    logger: silentLogger,
    metrics: httpMetrics(createMetrics({ venues: [], constLabels: {} })),
    read: () => ({ op: 'subscribe', filter: ALL }),
    limits: STREAM_LIMITS,
  })
  const join = (name: string) => {
    const note = (what: string) => () => void log.push(`${name} ${what}`)
    const send = (data: string | Buffer) => void log.push(`${name} ${data}`)
    const socket = { bufferedAmount: 0, send, ping: note('ping'), close: note('close'), terminate: note('end') }
    return hub.add(socket, { cork: note('cork'), uncork: note('uncork') }, name)
  }
  join('a').message('')
  join('b').message('')
  log.length = 0
  for (const id of ['1', '2']) publish({ type: 'trade', id } as MarketEvent, () => Buffer.from(id))
  expect(log).toEqual(['a cork', 'a 1', 'b cork', 'b 1', 'a 2', 'b 2'])
  await turn()
  expect(log.slice(6)).toEqual(['a uncork', 'b uncork'])
  publish({ type: 'trade', id: '3' } as MarketEvent, () => Buffer.from('3'))
  expect(log.slice(8)).toEqual(['a cork', 'a 3', 'b cork', 'b 3'])
})

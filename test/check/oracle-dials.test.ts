/** How the collector comes back, and what it ends itself. */

import { describe, expect, test } from 'vitest'
import { judge, type PromiseName } from '../../src/check/oracle.ts'
import type { TraceEntry } from '../../src/check/trace.ts'
import { START_US, VENUE } from './good-run.ts'
import type { Trace } from './tampering.ts'

const verdict = (trace: Trace): PromiseName[] => [...new Set(judge(trace).map(({ promise }) => promise))]
const at = (seconds: number) => ({ venue: VENUE, atUs: START_US + Math.round(seconds * 1_000_000) })
const link = (seconds: number, connection: number, state: string, more = {}): TraceEntry =>
  ({ kind: 'connection', ...at(seconds), connection, state, ...more }) as TraceEntry
const fault = (seconds: number, name: string, untilSeconds = seconds, more = {}): TraceEntry =>
  ({ kind: 'fault', ...at(seconds), fault: name, untilUs: at(untilSeconds).atUs, ...more }) as TraceEntry

describe('the waits before dialling again', () => {
  /** Connections that end one after another, each dialled again after its wait. */
  const waits = (...seconds: readonly number[]): Trace =>
    seconds.flatMap((wait, i) => {
      const begun = i * 40
      return [
        link(begun, i, 'dialled', { endpoint: '/ws' }),
        link(begun + 1, i, 'open'),
        link(begun + 40 - wait, i, 'closed'),
      ]
    })

  test.each<readonly [name: string, trace: Trace, promises: readonly PromiseName[]]>([
    ['differ', waits(0.1, 0.5, 0.300001, 0.3, 0.7), []],
    ['are the same twice', waits(0.5, 0.5, 0.4, 0.7), []],
    ['are all the same', waits(0.5, 0.4, 0.5, 0.5, 1), ['dials_in_step']],
    ['are none, where another takes over at once', waits(0, 0, 0, 1), []],
  ])('%s', (_name, trace, promises) => {
    expect(verdict(trace)).toEqual(promises)
  })
})

describe('behind a stall', () => {
  const begun = [link(0, 1, 'open'), fault(100, 'process-stalled', 120)]
  const ours = { isOurs: true }

  test.each<readonly [name: string, trace: Trace, promises: readonly PromiseName[]]>([
    ['a connection goes on', [...begun, link(200, 1, 'closed', ours)], []],
    ['a connection is ended that was well', [...begun, link(120.1, 1, 'closed', ours)], ['healthy_link_ended']],
    ['the venue ends it', [...begun, link(120.1, 1, 'closed')], []],
    ['it was not well', [fault(90, 'half-open', 130), ...begun, link(120.1, 1, 'closed', ours)], []],
    [
      'a frame of one symbol is no reason',
      [fault(90, 'frame-lost', 90, { symbol: 'X' }), ...begun, link(120.1, 1, 'closed', ours)],
      ['healthy_link_ended'],
    ],
  ])('%s', (_name, trace, promises) => {
    expect(verdict(trace)).toEqual(promises)
  })
})

describe('a connection on which not even pongs come', () => {
  const begun = [link(0, 1, 'open'), link(10, 1, 'frozen', { isDeaf: true })]

  test.each<readonly [name: string, trace: Trace, promises: readonly PromiseName[]]>([
    ['is ended in time', [...begun, link(25, 1, 'closed')], []],
    ['is ended too late', [...begun, link(27, 1, 'closed')], ['dead_link_kept']],
  ])('%s', (_name, trace, promises) => {
    expect(verdict(trace)).toEqual(promises)
  })
})

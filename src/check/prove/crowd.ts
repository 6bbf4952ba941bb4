/**
 * A process of its own: far more clients than any service expects. They open connections and do not behave; whoever is
 * sent away comes again. `node crowd.js '{"port":…,"count":…,"readers":…}'`; tells its parent four times a second how many
 * are in, and ends with it.
 */

import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import { systemClock } from '../../platform/clock.ts'

export interface CrowdOptions {
  readonly port: number
  /** Connections to be held open. */
  readonly count: number
  /** Clients of the event stream that ask for everything and read nothing. */
  readonly readers: number
}

export interface CrowdReport {
  readonly open: number
  readonly readers: number
  /** Connections made since the beginning. */
  readonly dialled: number
}

const REPORT_MS = 250
const DIAL_EVERY_MS = 10
/** At a time: a crowd, but not a flood that leaves its own process no time. */
const DIALS_MAX = 30
const DRIP_EVERY_MS = 1_000
const HOST = '127.0.0.1'

/** What each of them says when it is in; the drip goes on saying it. */
const MANNERS = [
  '',
  'GET /health HTTP/1.1\r\nhost: localhost\r\nx-drip: ',
  `GET /${'%'.repeat(2_000)} HTTP/1.1\r\nhost: localhost\r\n${'x: y\r\n'.repeat(500)}`,
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'POST /api/v1/subscriptions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 65536\r\n\r\n{',
]

function main({ port, count, readers }: CrowdOptions): void {
  const clock = systemClock()
  const open = new Set<Socket>()
  const dripping = new Set<Socket>()
  let dialled = 0
  const dial = () => {
    const manner = dialled++ % MANNERS.length
    const socket = connect(port, HOST, () => {
      socket.write(MANNERS[manner] ?? '')
      if (manner === 1) dripping.add(socket)
    })
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      open.delete(socket)
      dripping.delete(socket)
    })
    socket.resume()
  }
  clock.every(DIAL_EVERY_MS, () => {
    for (let made = 0; open.size < count && made < DIALS_MAX; made++) dial()
  })
  clock.every(DRIP_EVERY_MS, () => {
    for (const socket of dripping) socket.write('.')
  })
  let reading = 0
  const read = () => {
    const socket = new WebSocket(`ws://${HOST}:${port}/api/v1/stream`)
    let isIn = false
    socket.on('open', () => {
      isIn = true
      reading++
      socket.send('{"op":"subscribe"}', () => socket.pause())
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      if (isIn) reading--
      clock.after(REPORT_MS, read)
    })
  }
  for (let reader = 0; reader < readers; reader++) read()
  const isConnected = (socket: Socket) => !socket.connecting
  clock.every(REPORT_MS, () => {
    const report: CrowdReport = { open: [...open].filter(isConnected).length, readers: reading, dialled }
    process.send?.(report)
  })
  process.once('disconnect', () => process.exit(0))
}

main(JSON.parse(process.argv[2] ?? '{}'))

/**
 * A process of its own: far more clients than any service expects. They open connections and do not behave; whoever is
 * sent away comes again. `node crowd.js '{"port":…,"count":…,"readers":…}'`; tells its parent four times a second how many
 * are in; ends with it, or with its first message.
 */

import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import { systemClock } from '../../../platform/clock.ts'

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
const TICK_MS = 10
/** New connections a tick: until all have been in, and from then on. A crowd, but no flood. */
const DIALS = { first: 30, later: 2 }
/** As a scraper asks. */
const ASK_EVERY_MS = 15_000
/** Headers must be whole within 5 s, bodies within 10 s; nothing may stand still for 10 s. */
const DRIP_EVERY_MS = 4_000
const HOST = '127.0.0.1'

/** What a client says when it is in, and again and again from then on. */
interface Manners {
  readonly first: string
  readonly more?: string
}

const ASK = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n'
const POLITE: Manners = { first: ASK, more: ASK }
const RUDE: readonly Manners[] = [
  { first: '' },
  { first: 'GET /health HTTP/1.1\r\nhost: localhost\r\nx-drip: ', more: '.' },
  { first: 'POST /api/v1/subscriptions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 65536\r\n\r\n{', more: '{' },
  { first: `GET /${'%'.repeat(2_000)} HTTP/1.1\r\nhost: localhost\r\n${'x: y\r\n'.repeat(500)}` },
  { first: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' },
]
/** One in so many is rude. */
const RUDE_EVERY = 10

const mannersOf = (number: number): Manners =>
  number % RUDE_EVERY === 0 ? (RUDE[(number / RUDE_EVERY) % RUDE.length] ?? POLITE) : POLITE

/** Each speaks in its turn, so that they are spread over the time between two. */
const turnsOf = (everyMs: number) => Array.from({ length: everyMs / TICK_MS }, () => new Map<Socket, Manners>())

function main({ port, count, readers }: CrowdOptions): void {
  const clock = systemClock()
  const [polite, rude] = [turnsOf(ASK_EVERY_MS), turnsOf(DRIP_EVERY_MS)]
  let dialled = 0
  let held = 0
  const dial = () => {
    const manners = mannersOf(dialled)
    const turns = manners === POLITE ? polite : rude
    const turn = turns[dialled++ % turns.length]
    const socket = connect(port, HOST, () => socket.write(manners.first))
    turn?.set(socket, manners)
    held++
    socket.on('error', () => {})
    socket.on('close', () => {
      turn?.delete(socket)
      held--
    })
    socket.resume()
  }
  let ticks = 0
  clock.every(TICK_MS, () => {
    const dials = dialled < count ? DIALS.first : DIALS.later
    for (let made = 0; held < count && made < dials; made++) dial()
    for (const turns of [polite, rude])
      for (const [socket, { more }] of turns[ticks % turns.length] ?? [])
        if (more !== undefined && !socket.connecting) socket.write(more)
    ticks++
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
  const isConnected = (socket: Socket) => !socket.connecting && !socket.destroyed
  clock.every(REPORT_MS, () => {
    const open = [...polite, ...rude].flatMap((turn) => [...turn.keys()]).filter(isConnected).length
    const report: CrowdReport = { open, readers: reading, dialled }
    process.send?.(report)
  })
  for (const end of ['disconnect', 'message']) process.once(end, () => process.exit(0))
}

main(JSON.parse(process.argv[2] ?? '{}'))

/** What the sink uses below the public face of the client library, against a server of a few lines. */

import { createServer, type Socket } from 'node:net'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterEach, expect, test } from 'vitest'
import { NatsServer, natsMissing } from '../../../src/check/prove/servers/nats-server.ts'
import { systemFiles } from '../../../src/platform/files.ts'
import { connectNats } from '../../../src/sinks/nats/connect.ts'
import { NATS_DEFAULTS } from '../../../src/sinks/nats/options.ts'
import { byteSender, readAnswers } from '../../../src/sinks/nats/wire.ts'
import { QUICK, Rig, until } from './rig.ts'

const INBOX = '_INBOX.own.'
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

interface Pair {
  readonly connection: NatsConnection
  readonly socket: Socket
  readonly heard: () => string
}

interface FakeServer {
  readonly url: string
  readonly sockets: readonly Socket[]
  readonly heard: () => string
}

const INFO = 'INFO {"server_id":"S","version":"2.9.0","headers":true,"max_payload":1000}\r\n'

/** Answers pings. `greeting`: its first words. */
async function fakeServer(greeting = INFO): Promise<FakeServer> {
  let heard = ''
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.write(greeting)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      heard += bytes.toString()
      if (bytes.includes('PING')) socket.write('PONG\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `nats://127.0.0.1:${port}`, sockets, heard: () => heard }
}

async function connected(): Promise<Pair> {
  const { url, sockets, heard } = await fakeServer()
  const connection = await connectNats({ ...NATS_DEFAULTS, ...QUICK, servers: [url] }, systemFiles)
  cleanups.unshift(() => connection.close())
  return { connection, socket: sockets[0] as Socket, heard }
}

const answer = (sending: number): string => {
  const text = `{"stream":"M", "seq":${sending}}`
  // As nats-server writes it, and as its documentation does.
  const blanks = sending % 3 === 0 ? ' ' : '  '
  return `MSG ${INBOX}${sending} 1${blanks}${text.length}\r\n${text}\r\n`
}

test('bytes that are sent arrive as they are, in order', async () => {
  const { connection, heard } = await connected()
  const send = byteSender(connection)
  for (let i = 0; i < 100; i++) send(Buffer.from(`PUB subject 3\r\n${String(i).padStart(3, '0')}\r\n`))
  await until(() => heard().includes('099'), 'all has arrived')
  const numbers = [...heard().matchAll(/PUB subject 3\r\n(\d{3})\r\n/g)].map(([, number]) => Number(number))
  expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i))
})

test('answers are read from the bytes; the library gets what is none of them', async () => {
  const { connection, socket } = await connected()
  const read: number[] = []
  const left: string[] = []
  readAnswers(connection, INBOX, (sending, bytes, from, to) => {
    expect(Buffer.from(bytes.subarray(from, to)).toString()).toBe(`{"stream":"M", "seq":${sending}}`)
    read.push(sending)
  })
  connection.subscribe(`${INBOX}*`, { callback: (_, { subject }) => void left.push(subject.slice(INBOX.length)) })
  await connection.flush()
  const status = 'NATS/1.0 503\r\n\r\n'
  socket.write(
    `${answer(1)}${answer(2)}PING\r\n${answer(3)}HMSG ${INBOX}4 1 ${status.length} ${status.length}\r\n${status}\r\n`,
  )
  await until(() => left.includes('4'), 'the answer with headers has come')
  expect(read).toEqual([1, 2, 3])
  expect(left).toEqual(['4'])
})

test('an answer is read once, wherever the bytes are cut', async () => {
  const { connection } = await connected()
  const read: number[] = []
  readAnswers(connection, INBOX, (sending) => void read.push(sending))
  connection.subscribe(`${INBOX}*`, {
    callback: (_, { subject }) => void read.push(Number(subject.slice(INBOX.length))),
  })
  const { parser } = (connection as unknown as { protocol: { parser: { parse(bytes: Uint8Array): void } } }).protocol
  let sending = 100
  for (let cut = 0; cut <= 2 * answer(101).length; cut++) {
    const bytes = Buffer.from(`${answer(sending)}${answer(sending + 1)}`)
    sending += 2
    parser.parse(bytes.subarray(0, cut))
    parser.parse(bytes.subarray(cut))
  }
  expect(read).toEqual(Array.from({ length: sending - 100 }, (_, i) => 100 + i))
})

test.each([
  ['says nothing at all', '', ({ sockets }: FakeServer) => sockets.length > 0],
  ['answers no question', INFO, ({ heard }: FakeServer) => heard().includes('JS.API')],
])('a sink that is closed while it opens waits for no server that %s', async (_name, greeting, isOpening) => {
  const server = await fakeServer(greeting)
  const rig = new Rig(server.url, NATS_DEFAULTS)
  const opening = rig.sink.open()
  await until(() => isOpening(server), 'it is opening')
  const startMs = performance.now()
  await rig.sink.close()
  await expect(opening).rejects.toThrow('the NATS sink was closed')
  expect(performance.now() - startMs).toBeLessThan(NATS_DEFAULTS.connectTimeoutMs / 2)
  await until(() => server.sockets.every(({ closed }) => closed), 'nothing of it is left')
  await rig.remove()
})

test.skipIf(natsMissing())('the answers of a real server are read from the bytes, all of them', async () => {
  const server = await NatsServer.start()
  cleanups.push(() => server.remove())
  const connection = await connectNats({ ...NATS_DEFAULTS, ...QUICK, servers: [server.url] }, systemFiles)
  cleanups.unshift(() => connection.close())
  const read: number[] = []
  const left: string[] = []
  readAnswers(connection, INBOX, (sending) => void read.push(sending))
  connection.subscribe(`${INBOX}*`, { callback: (_, { subject }) => void left.push(subject) })
  const send = byteSender(connection)
  for (let i = 1; i <= 100; i++) send(Buffer.from(`PUB ${INBOX}${i} 2\r\n{}\r\n`))
  await until(() => read.length + left.length === 100, 'all have come')
  expect(left).toEqual([])
})

/** Who gets in, and how connections end: outages, bans, refused subscriptions, ends without a close frame. */

import { afterEach, expect, test } from 'vitest'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/sim/server.ts'
import { type Client, clock, connect, until } from './helpers.ts'

const VENUES = simVenues.filter(({ id }) => id === 'okx')
const TRADES = { op: 'subscribe', args: [{ channel: 'trades', instId: 'BTC-USDT' }] }

let simulator: Simulator | undefined
afterEach(() => simulator?.stop())

async function start(options: Partial<SimulatorOptions> = {}): Promise<{ simulator: Simulator; client: Client }> {
  simulator = await startSimulator({ clock, venues: VENUES, rate: 20, ...options })
  return { simulator, client: await connect(simulator.options('okx').websocket_url as string) }
}

const rest = (from: Simulator) => fetch(`${from.options('okx').rest_url}/api/v5/public/time`)

test('an outage resets connections and requests until it is over', async () => {
  const { simulator: sim, client } = await start()
  sim.control('outage?venue=okx&ms=3000')
  await until('the connection to end', () => client.closed)
  expect(client.closed).toEqual({ code: 1006, reason: '' })
  await expect(rest(sim)).rejects.toThrow()
  await expect(connect(sim.options('okx').websocket_url as string)).rejects.toThrow()
  await until('the venue to be back', () =>
    rest(sim).then(
      ({ status }) => status !== 418,
      () => false,
    ),
  )
  const again = await connect(sim.options('okx').websocket_url as string)
  again.send('ping')
  await until('an answer', () => again.frames.includes('pong'))
})

test('where the first broken rule bans, nobody gets in after it', async () => {
  const { simulator: sim, client } = await start({ bansAtOnce: true })
  client.send({ op: 'nonsense', args: [] })
  await until('the connection to end', () => client.closed)
  expect(sim.violations()).toHaveLength(1)
  expect((await rest(sim)).status).toBe(418)
  await expect(connect(sim.options('okx').websocket_url as string)).rejects.toThrow('403')
})

test('subscriptions get the answer that the test wants', async () => {
  const { client } = await start({
    admission: (venue, stream) => (`${venue} ${stream}`.includes('BTC') ? 'refused' : undefined),
  })
  client.send(TRADES)
  await until('the refusal', () => client.json(({ event }) => event === 'error').length === 1)
})

test('a connection knows its streams, tells what it sends, and can end without a close frame', async () => {
  const sent = new Set<string>()
  const { simulator: sim, client } = await start({ onSent: (...told) => void sent.add(told.join(' ')) })
  client.send(TRADES)
  await until('a trade', () => client.json(({ data }) => data !== undefined).length > 0)
  const [peer] = sim.connections()
  expect([...(peer?.streams ?? [])]).toEqual(['trade BTC-USDT'])
  expect([...sent]).toEqual(['okx trade BTC-USDT'])
  peer?.hangUp()
  await until('the end', () => client.closed)
  expect(client.closed?.code).toBe(1006)
})

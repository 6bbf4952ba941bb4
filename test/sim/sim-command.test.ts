import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { simCommand } from '../../src/cli/sim.ts'
import { simVenues } from '../../src/sim/index.ts'
import { connect, get, until } from './helpers.ts'

const folder = mkdtempSync(join(tmpdir(), 'sim-command-'))
afterAll(() => rmSync(folder, { recursive: true }))

let stop: (() => Promise<void>) | undefined
afterEach(async () => {
  await stop?.()
  stop = undefined
  vi.restoreAllMocks()
})

/** Runs the command; the result is where it listens. */
async function run(...args: string[]): Promise<string> {
  let out = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text
    return true
  })
  let end: () => void = () => {}
  const stopped = new Promise<void>((resolve) => {
    end = resolve
  })
  const running = simCommand(() => stopped).parseAsync(args, { from: 'user' })
  stop = async () => {
    end()
    await running
  }
  await Promise.race([running, until('the announcement', () => out.includes('simulator at'))])
  return /simulator at (\S+),/.exec(out)?.[1] ?? ''
}

const yaml = (name: string) => parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>

test('serves the chosen venues and writes the configuration to collect from them', async () => {
  const url = await run(
    '--venues',
    'binance,okx',
    '--config-out',
    folder,
    '--fault',
    'rest-status,path=time,status=429',
  )
  expect((await get(`${url}/binance/api/v3/time`)).status).toBe(429)
  expect((await get(`${url}/binance/api/v3/time`)).status).toBe(200)
  expect((await get(`${url}/deribit/api/v2/public/get_time`)).status).toBe(404)
  const { exchanges } = yaml('exchanges.yaml') as { exchanges: Record<string, unknown> }
  expect(Object.keys(exchanges)).toEqual(simVenues.map(({ id }) => id))
  expect(exchanges.deribit).toEqual({ enabled: false })
  expect(exchanges.binance).toMatchObject({
    enabled: true,
    rest_url: [`${url}/binance`],
    websocket_url: [`${url.replace('http', 'ws')}/binance/stream`],
    symbols: expect.arrayContaining(['BTCUSDT', 'POLUSDT']),
  })
  expect(yaml('service.yaml')).toEqual({ environment: 'simulation' })
})

test('replays a recording', async () => {
  const file = join(folder, 'x.ws.jsonl')
  const frame = '{"stream":"abusdt@trade","data":{"e":"trade","s":"ABUSDT","t":1}}'
  writeFileSync(file, `{"ts":1,"venue":"binance","msg":${frame}}\n`)
  const url = await run('--capture', file, '--speed', 'max', '--start-quiet-ms', '20', '--config-out', folder)
  expect(yaml('exchanges.yaml')).toMatchObject({
    exchanges: { binance: { symbols: ['ABUSDT'] }, okx: { enabled: false } },
  })
  const client = await connect(`${url.replace('http', 'ws')}/binance/ws/abusdt@trade`)
  await until('the frame', () => client.frames.length === 1)
  expect(client.frames).toEqual([frame])
  expect((await get(`${url}/control/capture`)).body).toEqual([
    { venue: 'binance', kind: 'trade', symbol: 'ABUSDT', name: 'abusdt@trade', frames: 1 },
  ])
  client.socket.terminate()
})

test('a port that is taken is named', async () => {
  const port = new URL(await run()).port
  const again = simCommand(async () => {}).parseAsync(['--port', port], { from: 'user' })
  await expect(again).rejects.toThrow(`port ${port} of 127.0.0.1 is taken`)
})

test.each([
  [['--venues', 'kraken'], "unknown venue 'kraken'; there are: binance, binance-usdm, okx, deribit"],
  [['--port', '70000'], 'expected a number from 0 to 65535'],
  [['--fault', 'nonsense'], 'not a fault: kind'],
  [['--speed', 'fast'], 'expected a number'],
])('%s is refused', async (args, message) => {
  const command = simCommand(async () => {}).exitOverride()
  let error = ''
  command.configureOutput({
    writeErr: (text) => {
      error += text
    },
  })
  await expect(command.parseAsync(args, { from: 'user' })).rejects.toThrow()
  expect(error).toContain(message)
})

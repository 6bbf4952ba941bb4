/** `marketprism plan`: what a person and a program read, and the exit status. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { configCommand } from '../../src/cli/config.ts'
import { planCommand } from '../../src/cli/plan.ts'
import { siText } from '../../src/cli/table.ts'
import { useCommand } from '../helpers/command.ts'

const ran = useCommand()

const plan = (...args: string[]) => planCommand().parseAsync(['-c', 'etc', ...args], { from: 'user' })
const write = (...lines: string[]) => writeFileSync(join(ran.folder, 'etc', 'exchanges.yaml'), `${lines.join('\n')}\n`)

test('one venue: what it is asked for, what is to come, how long the room lasts', async () => {
  write(
    'exchanges:',
    '  okx: { enabled: false }',
    '  deribit: { enabled: false }',
    '  binance-usdm: { enabled: false }',
  )
  await plan()
  expect(ran.printed.split('\n')).toEqual([
    'What the venues are asked for',
    '',
    'VENUE    SYMBOLS  STREAMS  AT MOST  CONNECTIONS  REQUESTS TO SUBSCRIBE  START TAKES',
    'binance       10       40        -            1                      1          0 s',
    '',
    'VENUE    BUDGET         LIMIT  AT THE START  LATER, AT MOST  OF THE LIMIT',
    'binance  weight  6000 in 60 s           520      72 in 60 s         1.2 %',
    '',
    'Of each limit the collector spends 80 % at most. Later there are audits of all books, questions about all trades and metadata.',
    '',
    'What is to come (estimates)',
    '',
    'VENUE    MESSAGES A SECOND  NETWORK A SECOND         LOG A DAY        LAKE A DAY',
    'binance       220 to 2.7 k   61 kB to 752 kB  9.5 GB to 119 GB  1.0 GB to 8.9 GB',
    '',
    'From "usual", each instrument like a larger altcoin on a normal day, to "peak", each like BTCUSDT futures in a volatile hour:',
    'measured on recordings of 2021 to 2024 (docs/CLI.md). Most instruments bring less than usual.',
    '',
    'The durable log (spool.quota_bytes, 4.3 GB) holds what a sink misses for 10 h (usual), 52 min (peak).',
    'The lake (lake.max_bytes, 107 GB) keeps 107 days (usual), 12 days (peak); then the oldest go.',
    'What NATS and ClickHouse take is theirs: about the log a day in JetStream, less than that in ClickHouse.',
    '',
  ])
  expect(process.exitCode).toBeUndefined()
  expect(ran.warned).toBe('')
})

test('beyond a limit: exit status 78, and what to do; `config --check` says it too', async () => {
  const symbols = Array.from({ length: 1300 }, (_, n) => `BTC-${n}SEP27-100000-C`)
  write('exchanges:', `  deribit: { symbols: [${symbols.join(', ')}] }`)
  await plan('--json')
  expect(process.exitCode).toBe(78)
  expect(ran.warned).toMatch(
    /^exchanges\.deribit\.symbols: 5200 streams need 13 connections to Deribit; .*Collect fewer/,
  )
  expect(JSON.parse(ran.printed)).toMatchObject({
    isWithinLimits: false,
    venues: [
      { venue: 'binance', streams: 40, streamsMax: null, problems: [] },
      { venue: 'binance-usdm' },
      { venue: 'okx' },
      { venue: 'deribit', streams: 5200, streamsMax: 4800, problems: [expect.stringContaining('13 connections')] },
    ],
  })
  await expect(configCommand().parseAsync(['-c', 'etc', '--check'], { from: 'user' })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('13 connections'),
  })
})

test('without a venue nothing is collected, and that is said', async () => {
  const ids = ['binance', 'binance-usdm', 'okx', 'deribit']
  write('exchanges:', ...ids.map((id) => `  ${id}: { enabled: false }`))
  await plan()
  expect(ran.printed).toBe('No venue is switched on: nothing is collected.\n')
})

test('numbers have prefixes', () => {
  expect([0, 0.5, 7, 43.2, 999, 12_345, 4_294_967_296].map(siText)).toEqual([
    '0 ',
    '0.5 ',
    '7 ',
    '43.2 ',
    '999 ',
    '12.3 k',
    '4.3 G',
  ])
})

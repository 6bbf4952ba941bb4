/** The service is killed, stopped, and started again on what it left. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { type Child, startChild } from './child.ts'
import { allLive, type Delivered } from './consumer.ts'
import { Exchange } from './exchange.ts'
import type { Case } from './judge.ts'
import { namesOf } from './names.ts'
import { expectHonest, SLACK_US, type Trial, tallyOf } from './trial.ts'

const S = 1_000_000
const symbols = namesOf(['PLAIN', 'HEAL', 'ANEW'])
const exchange = new Exchange(systemClock())
const folder = mkdtempSync(join(tmpdir(), 'adversary-'))
const delivered: Delivered[] = []
let child: Child

beforeAll(async () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/setup.mjs', import.meta.url))], {
    stdio: 'ignore',
  })
  const secondsOf = { trade: 0.2, book: 0.2, ticker: 0.3, quote: 0.3 }
  for (const [venue, list] of Object.entries(symbols))
    for (const symbol of list) exchange.list(venue, symbol, secondsOf)
  await exchange.open()
}, 120_000)

afterAll(async () => {
  await child?.kill('SIGKILL')
  await exchange.close()
  rmSync(folder, { recursive: true })
})

const nowUs = () => exchange.clock.nowUs()
const pass = (seconds: number) => new Promise<void>((resolve) => void exchange.clock.after(seconds * 1000, resolve))
const everywhere = (faults: object) => {
  for (const each of Object.values(exchange.rest)) Object.assign(each, faults)
}

const trades = (base: string) => exchange.streams.filter((s) => s.kind === 'trade' && s.symbol.startsWith(base))

/** Answers take their time at the start, so that the consumer listens before data come. */
async function start(): Promise<void> {
  everywhere({ isDown: false, delayUs: 0.5 * S })
  child = await startChild(folder, exchange, symbols, delivered)
  await allLive(child.consumer)
  everywhere({ delayUs: 0 })
}

/** Everything that was published since `sinceUs` is accounted for, by whichever process. */
const judge = (sinceUs: number, killedUs: number): Promise<Case> => {
  const untold = [[killedUs - 1.3 * S, killedUs]] as const
  const trial: Trial = { streams: exchange.streams, delivered, sinceUs, untilUs: nowUs(), slackUs: SLACK_US, untold }
  return expectHonest(trial, child.consumer)
}

test('killed, then stopped: what was missed is known, and fetched', { timeout: 60_000 }, async () => {
  await start()
  const sinceUs = nowUs()
  await pass(2.5)
  // Killed while it fetches what a stream has lost.
  everywhere({ isDown: true })
  for (const stream of trades('HEAL')) exchange.valve(stream).drop = 3
  await pass(1.2)
  const killedUs = nowUs()
  await child.kill('SIGKILL')
  await pass(1)
  for (const stream of trades('ANEW')) stream.renumber(100)
  await pass(1)
  await start()
  const afterKill = await judge(sinceUs, killedUs)
  expect(tallyOf(afterKill.gaps)).toEqual({
    'trade sequence_gap healed': 4,
    'trade process_down healed': 8,
    'trade process_down final': 4,
    'ticker process_down closed': 12,
    'quote process_down closed': 12,
    'book process_down closed': 12,
  })
  for (const gap of afterKill.gaps.filter(({ state }) => state === 'final'))
    expect(gap.reason).toContain('numbers went')

  await pass(1)
  await child.kill('SIGTERM')
  await pass(1.5)
  await start()
  const afterStop = await judge(sinceUs, killedUs)
  expect(tallyOf(afterStop.gaps)).toEqual({
    ...tallyOf(afterKill.gaps),
    'trade shutdown healed': 12,
    'ticker shutdown closed': 12,
    'quote shutdown closed': 12,
    'book shutdown closed': 12,
  })
  expect(child.consumer.log.filter(({ event }) => event === 'ledger_unreadable')).toEqual([])
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/platform/random.ts'
import type { Batch } from '../../../src/sinks/sink.ts'
import {
  type ClickHouse,
  clickhouseMissing,
  type Fate,
  type Front,
  freshDatabase,
  isOwnClickHouse,
  startClickHouse,
  startFront,
} from '../../helpers/clickhouse-server.ts'
import { quote, trade } from './events.ts'
import { batchOf, type Rig, recordsOf, rigOf, spoilt } from './rig.ts'

const missing = clickhouseMissing ?? (isOwnClickHouse ? undefined : 'the server of CLICKHOUSE_URL is not ours to kill')
if (missing) process.stderr.write(`Outages of ClickHouse are not tested: ${missing}.\n`)

const BATCHES = 15
const ROWS = 40
const TRIES_MAX = 100

describe.skipIf(missing !== undefined)('outages of ClickHouse', () => {
  let clickhouse: ClickHouse
  let front: Front

  beforeAll(async () => {
    clickhouse = await startClickHouse()
    front = await startFront(clickhouse.url)
  })
  afterAll(async () => {
    await front?.close()
    await clickhouse?.stop()
  })

  const ask = async (sql: string) => (await clickhouse.query(sql)).trim()

  /** What the pump does: the same batch until it is stored. `meanwhile` runs before each try. */
  async function deliver({ sink }: Rig, batch: Batch, meanwhile: (attempt: number) => Promise<void>): Promise<number> {
    for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
      await meanwhile(attempt)
      try {
        if (attempt > 1) await sink.open()
        await sink.write(batch)
        return attempt
      } catch {
        await sink.close()
      }
    }
    throw new Error('never stored')
  }

  test('a server that is killed and comes back has each batch once', async () => {
    const database = freshDatabase()
    const rig = rigOf({ url: front.url, database })
    await rig.sink.open()
    const first = batchOf(recordsOf([trade(1), quote(2)]))
    const second = batchOf(recordsOf([trade(3), quote(4)], 3))
    await rig.sink.write(first)
    await clickhouse.kill()
    await expect(rig.sink.write(second)).rejects.toThrow(/storing records 3 to 4/)
    await rig.sink.close()
    await expect(rig.sink.open()).rejects.toThrow(/asking for the version/)
    await clickhouse.start()
    await rig.sink.open()
    await rig.sink.write(first)
    await rig.sink.write(second)
    expect(await ask(`SELECT count() FROM ${database}.trade`)).toBe('2')
    expect(await ask(`SELECT count() FROM ${database}.quote`)).toBe('2')
    await rig.sink.close()
  })

  test('too many parts: refused by the server itself, stored when they are merged', async () => {
    const database = freshDatabase()
    const { sink } = rigOf({ url: front.url, database })
    await sink.open()
    await clickhouse.query(`SYSTEM STOP MERGES ${database}.trade`)
    await clickhouse.query(
      `ALTER TABLE ${database}.trade MODIFY SETTING parts_to_throw_insert = 2, parts_to_delay_insert = 2`,
    )
    const batches = [1, 2, 3].map((n) => batchOf(recordsOf([trade(n)], n)))
    for (const batch of batches.slice(0, 2)) await sink.write(batch)
    await expect(sink.write(batches[2] as Batch)).rejects.toThrow(/error 252.*batches get rarer/)
    expect(sink.traits.ageMs).toBe(2000)
    await clickhouse.query(`ALTER TABLE ${database}.trade RESET SETTING parts_to_throw_insert`)
    await sink.open()
    await sink.write(batches[2] as Batch)
    expect(await ask(`SELECT count() FROM ${database}.trade`)).toBe('3')
    await sink.close()
  })

  test('kills, lost answers, cut connections and spoilt rows at random: 0 missing, 0 doubled', async () => {
    const database = freshDatabase()
    const random = seededRandom(20)
    const rig = rigOf({ url: front.url, database, timeoutMs: 3000 })
    await rig.sink.open()
    // A batch in pieces has many inserts: each of them is let through more often.
    const fateOf = (isPart: boolean): Fate => {
      const dice = random() * (isPart ? 5 : 1)
      if (dice < 0.02) return 'mute'
      if (dice < 0.2) return 'lost'
      if (dice < 0.3) return 'cut'
      return dice < 0.35 ? { code: 252, text: 'Too many parts. (TOO_MANY_PARTS)' } : 'pass'
    }
    const wanted = { trade: 0, quote: 0 }
    let tries = 0
    let restarted = Promise.resolve()
    let kills = 0
    for (let n = 0; n < BATCHES; n++) {
      const at = n * ROWS
      const records = recordsOf(
        Array.from({ length: ROWS }, (_, i) => (i % 2 === 0 ? trade(at + i) : quote(at + i))),
        at + 1,
      ).map((record) => (random() < 0.01 ? spoilt(record, 'no') : record))
      for (const record of records)
        if (record.body.length > 2) wanted[record.stream.startsWith('trade') ? 'trade' : 'quote']++
      tries += await deliver(rig, batchOf(records), async (attempt) => {
        front.rule = ({ token }) => (token === undefined ? 'pass' : fateOf(token.endsWith(':part')))
        await restarted
        if (attempt !== 1 || random() > 0.15) return
        kills++
        // Anywhere in the first try.
        const kill = new Promise<void>((resolve) => setTimeout(resolve, random() * 40)).then(clickhouse.kill)
        restarted = kill.then(clickhouse.start)
      })
    }
    await restarted
    expect(tries, 'faults there were').toBeGreaterThan(BATCHES * 1.5)
    expect(kills, 'kills there were').toBeGreaterThan(0)
    for (const table of ['trade', 'quote'] as const) {
      expect(await ask(`SELECT count(), uniqExact(id) FROM ${database}.${table}`), table).toBe(
        `${wanted[table]}\t${wanted[table]}`,
      )
    }
    // A batch that comes again refuses its rows again: whoever gives it to the sink tells each once.
    const refused = new Set(rig.rejected.map(({ lsn }) => lsn))
    expect(refused.size).toBe(BATCHES * ROWS - wanted.trade - wanted.quote)
    await rig.sink.close()
  })
})

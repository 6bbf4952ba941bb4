/** `marketprism spool` on a log in real files. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { spoolCommand } from '../../src/cli/spool.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import { openSpool } from '../../src/spool/open.ts'
import { SPOOL_LIMITS } from '../../src/spool/options.ts'

const TIME_US = 1_795_392_000_123_456
/** Exact digits and a text that is no JSON. */
const BODIES = ['{"price":"95234.5000","id":12345678901234567890}', 'not JSON\u0001', '{"channel":"book"}']

let folder = ''
let printed = ''

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'marketprism-spool-'))
  printed = ''
  const { files, clock, processes, random } = systemPlatform()
  const limits = { ...SPOOL_LIMITS, reserveBytes: 65_536 }
  const common = { folder, files, clock, processes, random, limits, onLoss: () => {} }
  const spool = await openSpool({ ...common, sinks: ['nats'], sync: 'off', whenFull: 'evict' })
  for (const [index, body] of BODIES.entries()) {
    const stream = spool.stream(index === 1 ? 'okx book BTC-USDT' : 'binance trade BTCUSDT')
    spool.append(stream, index === 2 ? 'gap' : 'event', TIME_US + index, Buffer.from(body))
  }
  await spool.untilReadable(3)
  spool.ack('nats', 1)
  await spool.close()
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  rmSync(folder, { recursive: true })
})

const spool = (...args: string[]) =>
  spoolCommand()
    .exitOverride()
    .parseAsync([...args, '--dir', folder], { from: 'user' })

function spoilFirstRecord(): void {
  const path = join(folder, readdirSync(folder).find((name) => name.endsWith('.log')) ?? '')
  const bytes = readFileSync(path)
  bytes[40] = (bytes[40] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

describe('verify', () => {
  test('shows every file and every cursor, and is content', async () => {
    await spool('verify')
    expect(printed).toMatch(/0000000000000001\.log +\d+ +3 +1 +3 +2026-11-23 00:00:00\.123 .* sound\n/)
    expect(printed).toMatch(/nats +1 +2\n/)
    expect(printed).toContain('1 segments, 3 records')
    expect(process.exitCode).toBeUndefined()
  })

  test('says with the exit status that something is spoilt, and where', async () => {
    spoilFirstRecord()
    await spool('verify')
    expect(printed).toContain('at byte 20: spoilt')
    expect(printed).toContain('record 1 is lost')
    expect(process.exitCode).toBe(65)
    printed = ''
    await spool('verify', '--json')
    expect(JSON.parse(printed).segments[0].problems).toMatchObject([{ kind: 'corrupt', firstLsn: 1, lastLsn: 1 }])
  })
})

test.each([['verify'], ['dump'], ['repair', '--dry-run']])(
  '%s does not take a folder without a log for a sound one',
  async (...args) => {
    const said: string[] = []
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0)
    const missing = join(folder, 'misspelt')
    await spoolCommand()
      .exitOverride()
      .parseAsync([...args, '--dir', missing], { from: 'user' })
    expect(said).toEqual([`There is no log in ${missing}.\n`])
    expect(printed).toBe('')
    expect(process.exitCode).toBe(65)
  },
)

describe('dump', () => {
  test('writes one JSON object a line, what was logged digit for digit', async () => {
    await spool('dump')
    const lines = printed.trimEnd().split('\n')
    expect(lines[0]).toBe(
      `{"lsn":1,"kind":"event","stream":"binance trade BTCUSDT","time":"2026-11-23T00:00:00.123456+00:00","body":${BODIES[0]}}`,
    )
    expect(Buffer.from(JSON.parse(lines[1] ?? '').base64, 'base64').toString()).toBe(BODIES[1])
    expect(lines).toHaveLength(3)
  })

  test.each([
    [
      ['--from', '2'],
      [2, 3],
    ],
    [
      ['--to', '2'],
      [1, 2],
    ],
    [['--limit', '1'], [1]],
    [
      ['--stream', 'BTCUSDT', '--limit', '2'],
      [1, 3],
    ],
    [['--kind', 'gap'], [3]],
    [['--kind', 'event', '--from', '3'], []],
  ])('%j yields %j', async (flags, lsns) => {
    await spool('dump', ...flags)
    const lines = printed.split('\n').filter((line) => line !== '')
    expect(lines.map((line) => JSON.parse(line).lsn)).toEqual(lsns)
  })

  test('--bodies is only what was logged', async () => {
    await spool('dump', '--bodies', '--to', '1')
    expect(printed).toBe(`${BODIES[0]}\n`)
  })

  test('refuses what is no number and no kind', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    await expect(spool('dump', '--from', '0')).rejects.toThrow('whole number')
    await expect(spool('dump', '--kind', 'trade')).rejects.toThrow('event, gap')
  })
})

describe('repair', () => {
  test('first says, then does', async () => {
    spoilFirstRecord()
    await spool('repair', '--dry-run')
    expect(printed).toContain('would be repaired')
    await spool('repair')
    expect(printed).toMatch(/repaired:\n {2}0000000000000001\.log: \d+ of \d+ bytes taken out, 2 records kept/)
    printed = ''
    await spool('dump')
    expect(printed.trimEnd().split('\n')).toHaveLength(2)
    printed = ''
    await spool('repair')
    expect(printed).toContain('nothing to repair')
  })
})

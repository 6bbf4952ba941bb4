/** A small disk is filled up while NATS is away: no crash, the oldest goes, and the gaps say exactly what is missing. */

import { join } from 'node:path'
import { sleep } from '../../platform/clock.ts'
import type { Child } from './child.ts'
import { judgeFull } from './full-judge.ts'
import { someInstruments } from './instruments.ts'
import type { Proof, ProofOptions } from './proof.ts'
import type { NatsServer } from './servers/nats-server.ts'
import { SmallDisk } from './servers/small-disk.ts'
import { leftOpen, ServiceBed } from './service-bed.ts'
import { STREAM, startNats } from './stand.ts'
import { readNats } from './stores.ts'
import { sumOf } from './trade-audit.ts'

const MIB = 1024 * 1024
const DISK_MIB = 32
/** What others leave to the service at first. */
const LEFT_BYTES = 6 * MIB
const SYMBOLS = 2
const STEPS_PER_SECOND = 30
/** The service starts, and works for a while, without a free byte. */
const AFTER_KILL_MS = 5_000
const EVICTED_MS_MAX = 120_000
const FREE_AGAIN_MS_MAX = 60_000
const SHOWN_MAX = 5
const SPOOL = { segment_bytes: MIB, quota_bytes: 64 * MIB, reserve_bytes: 2 * MIB, keep_seconds: 0 }

export const full: Proof = {
  name: 'full',
  about:
    'A full disk of 32 MiB while NATS is away: the oldest data go, and the gaps say exactly what the stream lacks.',
  counts: 'seconds that old data go for new ones, and then that not a byte is free; then it is killed and starts again',
  usualCount: 20,
  async run(options) {
    const { count = this.usualCount, folder, say } = options
    const nats = await startNats()
    let bed: ServiceBed | undefined
    const disk = SmallDisk.mount(join(folder, 'data'), DISK_MIB)
    try {
      const sections = { nats: { url: nats.url }, lake: { enabled: false }, spool: SPOOL }
      bed = await ServiceBed.open(options, someInstruments(SYMBOLS, STEPS_PER_SECOND), sections)
      const ran = await fillUp(options, bed, nats, disk, count)
      const stream = await readNats(nats.url, STREAM, bed.read)
      const verdict = judgeFull(bed.told.values(), stream, bed.gaps)
      for (const list of [verdict.wrong, verdict.outside, verdict.others])
        for (const text of list.slice(0, SHOWN_MAX)) say(text)
      return {
        figures: {
          disk_mib: DISK_MIB,
          full_s: 2 * count,
          records_given_up: ran.givenUp,
          events_told: bed.told.size,
          events_in_nats: stream.ids.size,
          missing: verdict.missing,
          taken_by_the_kill: verdict.taken,
          gaps_log_full: verdict.gaps,
          recovered_after_ms: Math.round(ran.recoveredMs),
        },
        bounds: [
          { what: 'records that were given up', found: ran.givenUp, least: 1 },
          { what: 'crashes', found: ran.crashes, most: 0 },
          { what: 'events that the stream lacks', found: verdict.missing, least: 1 },
          { what: 'feeds whose gaps count something else than the stream lacks', found: verdict.wrong.length, most: 0 },
          { what: 'missing events outside of their gaps', found: verdict.outside.length, most: 0 },
          { what: 'gap records and instruments that the stream lacks', found: verdict.others.length, most: 0 },
          { what: 'ids that stand in the stream more than once', found: verdict.doubled, most: 0 },
          { what: 'doubled trades', found: sumOf(bed.trades.counts(), ({ doubled }) => doubled), most: 0 },
          { what: 'gaps still open', found: leftOpen(bed.gaps).length, most: 0 },
          {
            what: 'from room on the disk until the log takes data, ms',
            found: Math.round(ran.recoveredMs),
            most: 35_000,
          },
          { what: 'times that the client of the proof was cut', found: ran.cuts, most: 0 },
          { what: 'exit status of SIGTERM', found: ran.code ?? -1, most: 0, least: 0 },
        ],
      }
    } finally {
      await bed?.close()
      disk.unmount()
      await nats.remove()
    }
  },
}

async function fillUp(options: ProofOptions, bed: ServiceBed, nats: NatsServer, disk: SmallDisk, seconds: number) {
  const { clock, say } = options
  const first = await bed.beginLive()
  await nats.stop()
  disk.fill(DISK_MIB * MIB - LEFT_BYTES)
  await comesTrue(options, async () => (await given(first)) > 0, EVICTED_MS_MAX)
  say('old data go for new ones')
  await sleep(clock, seconds * 1000)
  const bytes = disk.fill(Number.POSITIVE_INFINITY)
  say(`the disk is full to the last byte; the service had left ${bytes} bytes`)
  await sleep(clock, seconds * 1000)
  const givenByFirst = await given(first)
  const crashes = first.isOver ? 1 : 0
  const { cuts } = first
  first.kill('SIGKILL')
  await first.exit
  const second = await bed.begin()
  await sleep(clock, AFTER_KILL_MS)
  disk.free()
  const freeMs = clock.monotonicMs()
  await comesTrue(options, async () => (await second.metric('marketprism_spool_writable'))[0] === 1, FREE_AGAIN_MS_MAX)
  const recoveredMs = clock.monotonicMs() - freeMs
  await nats.start()
  const givenUp = givenByFirst + (await given(second))
  const { code } = await bed.settle(second)
  return { givenUp, recoveredMs, crashes, code, cuts }
}

const given = async (child: Child): Promise<number> =>
  sumOf(await child.metric('marketprism_spool_evicted_total'), (count) => count)

/** Errors: rejects when it does not within `deadlineMs`. */
async function comesTrue(
  { clock }: ProofOptions,
  condition: () => Promise<boolean>,
  deadlineMs: number,
): Promise<void> {
  const endMs = clock.monotonicMs() + deadlineMs
  while (!(await condition())) {
    if (clock.monotonicMs() > endMs) throw new Error(`waited ${deadlineMs} ms in vain`)
    await sleep(clock, 100)
  }
}

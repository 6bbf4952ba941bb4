/** What happens to the machine that the collector runs on. */

import type { DiskFault } from '../../sim/virtual/disk-fault.ts'
import { between, type FaultKind, oneOf } from './kind.ts'

const disk = (about: string, fault: DiskFault): FaultKind => ({
  about,
  target: 'machine',
  perMinute: 0.5,
  active: 0.15,
  draw: (random) => ({ ms: between(random, 10, 15_000) }),
  strike({ world, number, struck }) {
    struck(number('ms'))
    world.disk.faults.add(fault)
    world.after(number('ms'), () => world.disk.faults.delete(fault))
  },
})

const SLOW_MS = 12_000
const SLOW_REPLACE_MS = 4_000
/** By then what the disk could not take has been written again. */
const SETTLED_MS = 45_000

/** The disk is full for a while; when it is not any more, whole files take seconds, and gaps come meanwhile. */
const slow: FaultKind = {
  about: 'a disk that was full takes seconds for a file, and trades are lost meanwhile',
  target: 'venue',
  perMinute: 0.8,
  active: 0.06,
  draw: (random) => ({ ms: between(random, 1_000, 4_000) }),
  strike({ world, fault: { venue }, scope, number }) {
    const { delaysMs } = world.disk
    const usualMs = delaysMs.replace
    if (usualMs === SLOW_REPLACE_MS) return
    world.struck('disk-slow', {}, number('ms') + SLOW_MS)
    world.awaits(number('ms') + SLOW_MS + SETTLED_MS)
    world.disk.faults.add('full')
    delaysMs.replace = SLOW_REPLACE_MS
    world.after(number('ms'), () => world.disk.faults.delete('full'))
    world.after(number('ms') + SLOW_MS, () => {
      delaysMs.replace = usualMs
    })
    for (let ms = number('ms'); ms < SLOW_MS; ms += 700)
      world.after(ms, () => {
        const lost = { kind: 'drop', venue, channel: 'trade' } as const
        world.arm('frame-lost', { ...scope(), channel: 'trade' }, lost)
      })
  },
}
/** The process ends in some way and comes back. */
const restart = (about: string, perMinute: number, end: 'kill' | 'power' | 'stop'): FaultKind => ({
  about,
  target: 'machine',
  perMinute,
  draw: (random) => ({ ms: oneOf(random, [10, 500, 3_000, 15_000]) }),
  strike({ world, number, struck }) {
    const { machine } = world
    struck(number('ms'))
    if (end === 'stop') machine.stop()
    else machine.kill(end === 'power')
    world.after(number('ms'), () => machine.start())
  },
})

export const MACHINE_FAULTS = {
  'process-killed': restart('the process is killed at any instant', 0.6, 'kill'),
  'power-lost': restart('the machine loses power: what was not synced is gone', 0.3, 'power'),
  'process-stopped': restart('the process is stopped in order', 0.3, 'stop'),
  'process-stalled': {
    about: 'the process gets no time for a while; the venues go on',
    target: 'machine',
    perMinute: 0.7,
    draw: (random) => ({ ms: oneOf(random, [300, 2_000, 8_000, 20_000, 60_000]), timers: random() < 0.5 }),
    strike({ world, number, word, struck }) {
      world.retell(number('ms'))
      struck(number('ms'))
      world.machine.stall()
      world.after(number('ms'), () => world.machine.wake(word('timers') === 'true'))
    },
  },
  'wall-clock-jumps': {
    about: 'the wall clock of the machine jumps',
    target: 'machine',
    perMinute: 0.4,
    active: 0.1,
    draw: (random) => ({ ms: oneOf(random, [-5_000, -300, 2_000, 30_000, 3_600_000]) }),
    strike({ world, fault: { kind }, number }) {
      world.struck(kind, {}, 0, { skippedMs: Math.max(0, number('ms')) })
      world.machine.readClock()
      world.wall.offsetUs += number('ms') * 1000
      world.retell()
    },
  },
  'disk-slow': slow,
  'disk-full': disk('the disk is full', 'full'),
  'disk-broken': disk('writing to the disk fails', 'error'),
  'sync-fails': disk('syncing to the disk fails', 'sync'),
} satisfies Readonly<Record<string, FaultKind>>

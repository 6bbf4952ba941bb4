// A process of its own that appends numbered records and says how far they are written. The tests of real files run it.
import { systemPlatform } from '../../dist/platform/system.js'
import { openSpool } from '../../dist/spool/open.js'
import { SPOOL_LIMITS } from '../../dist/spool/options.js'

const [folder] = process.argv.slice(2)
const { clock, files, processes, random } = systemPlatform()
const spool = await openSpool({
  folder,
  files,
  clock,
  processes,
  random,
  sinks: ['nats'],
  sync: 'interval',
  whenFull: 'evict',
  limits: { ...SPOOL_LIMITS, segmentBytes: 1_048_576, reserveBytes: 1_048_576 },
  onLoss: (loss) => process.send({ loss }),
})
process.send({ first: spool.lastLsn + 1 })
const stream = spool.stream('a')
clock.every(1, () => {
  for (let i = 0; i < 20; i++)
    spool.append(stream, 'event', clock.nowUs(), Buffer.from(`${spool.lastLsn + 1} `.padEnd(200, '.')))
  process.send({ written: spool.writtenLsn })
})

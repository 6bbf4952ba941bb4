// A process of its own that writes numbered batches to a lake and says which are stored. The test of real files kills it.
import { systemPlatform } from '../../../dist/platform/system.js'
import { LakeSink } from '../../../dist/sinks/lake/lake.js'

const [dir, next] = process.argv.slice(2)
const RECORDS = 300
const TIME_US = 1_795_392_000_000_000
const DAY_US = 86_400_000_000

function record(lsn) {
  const type = lsn % 3 === 0 ? 'quote' : 'trade'
  const timeUs = TIME_US - (lsn % 5 === 0 ? DAY_US : 0)
  const base = {
    type,
    exchange: 'a',
    venue: 'a',
    market: 'spot',
    symbol: `S${lsn % 4}`,
    exchange_time_us: timeUs,
    id: `${lsn}`,
  }
  const event =
    type === 'quote' ? { ...base, bid_price: `${lsn}` } : { ...base, price: `${lsn}`, quantity: '1', side: 'buy' }
  const stream = `${type} a a spot ${base.symbol}`
  return { lsn, kind: 'event', stream, timeUs: TIME_US, body: Buffer.from(JSON.stringify(event)) }
}

const say = () => {}
const sink = new LakeSink(
  { dir, bytesMax: 0, keepDays: 0, batchBytes: 0, batchAgeMs: 0 },
  {
    platform: systemPlatform(),
    logger: { info: say, warning: say },
    logId: 'log',
    stateFolder: dir,
    reject: (_, reason) => Promise.reject(new Error(reason)),
  },
)
await sink.open()
for (let batch = Number(next); ; batch++) {
  const firstLsn = batch * RECORDS + 1
  await sink.write({
    firstLsn,
    lastLsn: firstLsn + RECORDS - 1,
    async *records() {
      yield Array.from({ length: RECORDS }, (_, i) => record(firstLsn + i))
    },
  })
  process.send({ stored: batch })
}

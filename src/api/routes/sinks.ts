import { z } from 'zod'
import type { RouteDeps } from '../deps.ts'
import type { SinkView, SpoolView } from '../operations-view.ts'
import { dataRoute } from '../route.ts'
import { count, seconds } from '../schemas.ts'

const spoolSchema = z.strictObject({
  state: z.enum(['writable', 'failing']),
  reason: z.string().describe('Why it is failing, in words; empty when writable.'),
  disk_bytes: count.describe('All its files together.'),
  memory_bytes: count.describe('Its newest part, held in memory.'),
  quota_bytes: count.describe('What it may take on disk.'),
  records: count.describe('Records that it took since the start.'),
  records_evicted: count.describe('Records given up for lack of room since the start; each is in a gap.'),
})

const sinkSchema = z.strictObject({
  name: z.string(),
  state: z.enum(['up', 'failing']).describe('`failing`: its data wait in the log, and it is tried again and again.'),
  reason: z.string().describe('Why it is failing, in words; empty when up.'),
  lag_records: count.describe('Records of the log that it does not have yet.'),
  lag_seconds: seconds
    .nullable()
    .describe('Age of the newest data that it has, while it lacks some; `null` while it has stored nothing.'),
  records: count.describe('Records stored for certain since the start.'),
  bytes: count.describe('Their bytes, as events.'),
  failures: count.describe('Writes and openings that failed.'),
  rollbacks: count.describe('Times that the store had lost what it had confirmed.'),
  records_rejected: count.describe('Records that it refused for good; in the dead-letter file.'),
})

/** `GET /api/v1/sinks` */
export const sinks = ({ view }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/sinks',
    summary: 'Where events are delivered, and how far behind each sink is',
    tag: 'collector',
    message: 'Sinks retrieved successfully',
    response: z.strictObject({
      spool: spoolSchema
        .nullable()
        .describe('The durable log in front of all sinks; `null` while there is none or it is not open.'),
      count,
      sinks: z.array(sinkSchema),
    }),
    needsCollector: true,
    failure: 'DATA_RETRIEVAL_ERROR',
    handle() {
      const { spool, sinks } = view.delivery()
      return { spool: spool ? spoolRecord(spool) : null, count: sinks.length, sinks: sinks.map(sinkRecord) }
    },
  })

const spoolRecord = (spool: SpoolView): z.input<typeof spoolSchema> => ({
  state: spool.isWritable ? 'writable' : 'failing',
  reason: spool.reason,
  disk_bytes: spool.diskBytes,
  memory_bytes: spool.memoryBytes,
  quota_bytes: spool.quotaBytes,
  records: spool.records,
  records_evicted: spool.evicted,
})

const sinkRecord = (sink: SinkView): z.input<typeof sinkSchema> => ({
  name: sink.name,
  state: sink.isUp ? 'up' : 'failing',
  reason: sink.reason,
  lag_records: sink.lagRecords,
  lag_seconds: sink.lagSeconds === undefined ? null : Math.round(sink.lagSeconds * 1000) / 1000,
  records: sink.records,
  bytes: sink.bytes,
  failures: sink.failures,
  rollbacks: sink.rollbacks,
  records_rejected: sink.rejected,
})

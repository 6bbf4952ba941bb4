/** The durable log of a configuration, and what of it metrics and the log tell. */

import { join } from 'node:path'
import type { Config } from '../ops/config-schema.ts'
import type { Logger } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { Platform } from '../platform/platform.ts'
import type { Loss } from '../spool/loss.ts'
import { openSpool } from '../spool/open.ts'
import { IO_OPERATIONS, type SpoolLimits, type SpoolOptions } from '../spool/options.ts'
import type { Spool } from '../spool/spool.ts'

export interface CollectorSpoolParts extends Pick<SpoolOptions, 'isNewest'> {
  readonly config: Config
  readonly platform: Platform
  readonly metrics: Metrics
  readonly logger: Logger
  /** Names of the sinks that read it. */
  readonly sinks: readonly string[]
  /** See {@link SpoolOptions.provenLsn}. */
  readonly provenLsn?: number | undefined
  /** See {@link SpoolOptions.onLoss}. */
  readonly onLoss: (loss: Loss) => void
  /** See {@link SpoolOptions.onDurable}. */
  readonly onDurable: () => void
}

export const spoolFolder = ({ spool, data_dir }: Pick<Config, 'spool' | 'data_dir'>): string =>
  spool.dir ?? join(data_dir, 'spool')

/** Without sinks there is nobody to read it, unless it is asked for. */
export const isSpoolOn = ({ spool }: Pick<Config, 'spool'>, sinks: readonly string[]): boolean =>
  spool.mode === 'on' || (spool.mode === 'auto' && sinks.length > 0)

/**
 * Opens the log. What the last process lost is told to `onLoss` once it is open.
 * Errors: PrismError SPOOL_LOCKED, CONFIG_INVALID.
 */
export async function openCollectorSpool(parts: CollectorSpoolParts): Promise<Spool> {
  const { config, platform, metrics, logger, sinks, provenLsn, onLoss, onDurable, isNewest } = parts
  const folder = spoolFolder(config)
  const syncs = metrics.histogram('spoolSyncDuration', {})
  const spool = await openSpool({
    folder,
    files: platform.files,
    clock: platform.clock,
    processes: platform.processes,
    random: platform.random,
    sinks,
    sync: config.spool.sync,
    whenFull: config.spool.when_full,
    limits: spoolLimits(config),
    provenLsn,
    onLoss: (loss) => {
      logger.warning('spool_lost', 'the durable log has lost records', lossFields(loss))
      onLoss(loss)
    },
    ...(isNewest && { isNewest }),
    onGapsWaiting: (count) => {
      if (count === 0) logger.info('spool_gaps_taken', 'the durable log has taken the gap records that waited for room')
      else logger.error('spool_gaps_wait', 'the durable log has no room for gap records; they are kept in memory')
    },
    onProblem: (problem) => {
      if (problem === undefined) logger.info('spool_recovered', 'the durable log takes records again')
      else logger.error('spool_failed', 'the disk refuses the durable log; it is kept in memory', { problem })
    },
    onDurable,
    onSync: (seconds) => syncs.observe(seconds),
  })
  exposeSpool(metrics, spool, config.spool.quota_bytes)
  const { losses, notes, ...found } = spool.recovery
  logger.info('spool_opened', 'the durable log is open', { folder, ...found })
  for (const note of notes) logger.warning('spool_note', note)
  for (const loss of losses) onLoss(loss)
  return spool
}

/** Neither a file nor the reserve may take so much of the quota that no room is left for the rest. */
const QUOTA_PARTS_MIN = 4

function spoolLimits({ spool }: Config): SpoolLimits {
  const partBytesMax = Math.floor(spool.quota_bytes / QUOTA_PARTS_MIN)
  return {
    segmentBytes: Math.min(spool.segment_bytes, partBytesMax),
    quotaBytes: spool.quota_bytes,
    reserveBytes: Math.min(spool.reserve_bytes, partBytesMax),
    memoryBytes: spool.memory_bytes,
    groupMs: spool.group_ms,
    groupBytes: spool.group_bytes,
    syncMs: spool.sync_interval_ms,
    keepMs: spool.keep_seconds * 1000,
  }
}

function exposeSpool(metrics: Metrics, spool: Spool, quotaBytes: number): void {
  const { counts } = spool
  const one = (read: () => number) => () => [{ labels: {}, value: read() }]
  metrics.computed(
    'spoolBytes',
    one(() => spool.bytes.disk),
  )
  metrics.gauge('spoolQuota', {}).value = quotaBytes
  metrics.computed(
    'spoolMemory',
    one(() => spool.bytes.memory),
  )
  metrics.computed(
    'spoolWritable',
    one(() => (spool.problem === undefined && !spool.isFull ? 1 : 0)),
  )
  metrics.computed(
    'spoolRecords',
    one(() => counts.records),
  )
  metrics.computed(
    'spoolGapsWaiting',
    one(() => counts.gapsWaiting),
  )
  metrics.computed('spoolEvicted', () => [
    { labels: { reason: 'evicted' }, value: counts.evicted },
    { labels: { reason: 'refused' }, value: counts.refused },
  ])
  metrics.computed(
    'spoolSpoilt',
    one(() => counts.spoilt),
  )
  metrics.computed('spoolIoErrors', () =>
    IO_OPERATIONS.map((operation) => ({ labels: { operation }, value: counts.ioErrors[operation] })),
  )
}

function lossFields({ cause, firstLsn, lastLsn, streams, sinks, isOngoing }: Loss): Record<string, string | number> {
  const records = streams.reduce((sum, stream) => sum + stream.records, 0)
  return {
    cause,
    ...(firstLsn !== undefined && { first_lsn: firstLsn }),
    ...(lastLsn !== undefined && { last_lsn: lastLsn }),
    ...(streams.length > 0 && { streams: streams.length, records }),
    ...(isOngoing === true && { state: 'goes on' }),
    ...(sinks.length > 0 && { sinks: sinks.join(' ') }),
  }
}

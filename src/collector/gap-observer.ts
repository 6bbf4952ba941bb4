/** What the ledger tells, as log lines: one when a gap opens, one when its end is decided. */

import type { HealthCheck } from '../api/view.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { EpochUs, Gap } from '../model/event.ts'
import type { Logger } from '../ops/log.ts'
import type { RepeatGuard } from '../ops/repeat-guard.ts'

export function gapObserver(logger: Logger, repeats: RepeatGuard) {
  return {
    changed(gap: Gap): void {
      const { venue, channel, symbol, cause, state, lost, healed, reason } = gap
      const fields = { venue, channel, symbol, cause, gap: gap.gap_id, lost, healed, reason, seconds: secondsOf(gap) }
      // Stopping says so once for all.
      if (cause === 'shutdown' && state === 'open') return
      const key = `${venue} ${channel} ${cause}`
      if (state === 'open' && gap.end_time_us === undefined)
        repeats.warning('gap_opened', key, 'data may be missing from here on', fields)
      else if (state === 'open') repeats.warning('gap_found', key, 'data are missing; fetching them', fields)
      else if (state === 'healed') logger.info('gap_healed', 'what was missing has been fetched', fields)
      else if (lost === 0) logger.info('gap_closed', 'the gap has ended; nothing was missing', fields)
      else repeats.warning(`gap_${state}`, key, 'the gap has ended; what was missed stays missing', fields)
    },
    disk(problem: string | undefined): void {
      if (problem === undefined) logger.info('ledger_written', 'gaps are written to disk again')
      else repeats.error('ledger_failed', '', 'gaps cannot be written to disk; kept in memory, trying on', { problem })
    },
  }
}

const secondsOf = ({ start_time_us: startUs, end_time_us: endUs }: Gap): number | undefined =>
  endUs === undefined ? undefined : secondsBetween(startUs, endUs)

const secondsBetween = (startUs: EpochUs, endUs: EpochUs): number => Math.round((endUs - startUs) / 1000) / 1000

export function ledgerCheck({ problem, unread }: Pick<Ledger, 'problem' | 'unread'>): HealthCheck {
  if (problem !== undefined)
    return { status: 'fail', result: `gaps cannot be written to disk and are kept in memory: ${problem}` }
  if (unread !== undefined)
    return { status: 'warn', result: `gaps are written to disk, older ones may be missing: ${unread}` }
  return { status: 'pass', result: 'gaps are written to disk' }
}

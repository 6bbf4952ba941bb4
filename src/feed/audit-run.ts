/** One audit of one book: it keeps its past for a moment, a snapshot is fetched, and the two are compared where they meet. */

import { type Difference, differences, differenceText } from '../book/compare.ts'
import type { Past } from '../book/past.ts'
import type { BookSync } from '../book/sync.ts'
import { compareDecimals } from '../model/decimal.ts'
import type { BookSnapshot } from '../model/event.ts'
import { RestError } from './rest-client.ts'

/** REST lags behind the stream: the past begins so long before the first question. */
const LEAD_MS = 3_000
/** A snapshot older than the past is asked for again after this. */
const OLDER_MS = 5_000
/** The stream lags behind REST: so long it may take to come as far as the snapshot. */
const BEHIND_MS = 10_000
const BEHIND_LOOK_MS = 250
/** Questions in one audit. */
const ASKS_MAX = 4

/**
 * `match`: no level differs. `mismatch`: a level differs from two snapshots. `not_aligned`: the two could not be brought
 * to one moment, so nothing is known. `failed`: no snapshot came.
 */
export type AuditOutcome = 'match' | 'mismatch' | 'not_aligned' | 'failed'

export interface AuditResult {
  readonly outcome: AuditOutcome
  /** In words: the first level that differs, why nothing could be compared, what failed. */
  readonly detail: string
  /** The last snapshot, where it matched. */
  readonly snapshot?: BookSnapshot | undefined
}

export interface AuditParts {
  readonly sync: BookSync
  /** Errors: rejects with {@link RestError}. */
  readonly ask: () => Promise<BookSnapshot>
  readonly wait: (delayMs: number) => Promise<void>
}

type Verdict =
  | { readonly kind: 'compared'; readonly found: readonly Difference[] }
  | { readonly kind: 'older' }
  | { readonly kind: 'not_aligned'; readonly detail: string }

/** The past is kept on when this resolves. Never rejects but with what is no {@link RestError}. */
export async function auditBook(parts: AuditParts): Promise<AuditResult> {
  const past = parts.sync.record()
  if (past === undefined) return { outcome: 'not_aligned', detail: 'the book has no sequence' }
  try {
    await parts.wait(LEAD_MS)
    return await compareUntilSure(parts, past)
  } catch (error) {
    if (error instanceof RestError) return { outcome: 'failed', detail: `${error.kind}: ${error.message}` }
    throw error
  }
}

/** One snapshot can be wrong, because one node of the venue is; so what differs must differ from the next one too. */
async function compareUntilSure(parts: AuditParts, past: Past): Promise<AuditResult> {
  let suspects: readonly Difference[] | undefined
  for (let asked = 0; asked < ASKS_MAX; asked++) {
    const snapshot = await parts.ask()
    const verdict = await judge(parts, past, snapshot)
    if (verdict.kind === 'not_aligned') return { outcome: 'not_aligned', detail: verdict.detail }
    if (verdict.kind === 'older') {
      await parts.wait(OLDER_MS)
      continue
    }
    const { found } = verdict
    if (found.length === 0) {
      const detail = suspects === undefined ? '' : 'the first snapshot differed, the second did not'
      return { outcome: 'match', detail, snapshot }
    }
    if (suspects === undefined) {
      suspects = found
      continue
    }
    const confirmed = found.find((difference) => suspects?.some((suspect) => isSameLevel(suspect, difference)))
    if (confirmed === undefined) return { outcome: 'not_aligned', detail: 'two snapshots differ at different levels' }
    return { outcome: 'mismatch', detail: `${differenceText(confirmed)}; levels that differ: ${found.length}` }
  }
  return { outcome: 'not_aligned', detail: 'the snapshots are too old' }
}

async function judge({ sync, wait }: AuditParts, past: Past, snapshot: BookSnapshot): Promise<Verdict> {
  const { sequence } = snapshot
  if (sequence === undefined) return { kind: 'not_aligned', detail: 'the snapshot has no sequence' }
  for (let waitedMs = 0; ; waitedMs += BEHIND_LOOK_MS) {
    if (past.problem !== undefined) return { kind: 'not_aligned', detail: past.problem }
    if (!sync.isLive) return { kind: 'not_aligned', detail: 'the book is not live any more' }
    if (past.isBehind(sequence) && waitedMs < BEHIND_MS) {
      await wait(BEHIND_LOOK_MS)
      continue
    }
    const moment = past.find(sequence)
    if (moment.kind === 'before') return { kind: 'older' }
    // A stream that does not come so far has nothing more to tell of this book, or has lost its end.
    const within = moment.kind === 'moment' ? moment.within : undefined
    return { kind: 'compared', found: differences(moment.book, snapshot, within) }
  }
}

const isSameLevel = (a: Difference, b: Difference): boolean =>
  a.side === b.side && compareDecimals(a.price, b.price) === 0

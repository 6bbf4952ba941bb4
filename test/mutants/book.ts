/** Bugs of the sequence rules and of the state machine that keeps a book. */

import type { Mutant } from './mutant.ts'

export const BOOK_MUTANTS: readonly Mutant[] = [
  {
    name: 'contiguous-off-by-one',
    file: 'book/sequence.ts',
    find: `return delta.first_sequence <= last + 1 ? 'apply' : 'gap'`,
    replace: `return delta.first_sequence <= last + 2 ? 'apply' : 'gap'`,
    why: 'ranges that leave one update id out count as touching',
  },
  {
    name: 'contiguous-repeats-applied',
    file: 'book/sequence.ts',
    find: `if (delta.last_sequence <= last) return 'stale'
  return delta`,
    replace: `if (delta.last_sequence < last) return 'stale'
  return delta`,
    why: 'a change that is sent again is applied again',
  },
  {
    name: 'previous-chain-loose',
    file: 'book/sequence.ts',
    find: `if (previous === last && end >= last) return 'apply'`,
    replace: `if (previous >= last && end >= last) return 'apply'`,
    why: 'a named predecessor that is missing counts as any other',
  },
  {
    name: 'previous-first-too-new',
    file: 'book/sequence.ts',
    find: `return first !== undefined && first <= last ? 'apply' : 'gap'`,
    replace: `return first !== undefined ? 'apply' : 'gap'`,
    why: 'the first change behind a snapshot need not reach back to it',
  },
  {
    name: 'chain-loose',
    file: 'book/sequence.ts',
    find: `if (previous === last) {
    if (end === last)`,
    replace: `if (previous >= last) {
    if (end === last)`,
    why: 'a named predecessor that is missing counts as any other',
  },
  {
    name: 'chain-reset-skipped',
    file: 'book/sequence.ts',
    find: `return end < last ? 'reset' : 'apply'`,
    replace: `return end < last ? 'unchanged' : 'apply'`,
    why: 'the change that starts the numbering anew is taken for a heartbeat',
  },
  {
    name: 'book-gap-ignored',
    file: 'book/sync.ts',
    find: `if (verdict === 'stale' || verdict === 'gap') {`,
    replace: `if (verdict === 'stale') {`,
    why: 'a change that does not follow is applied all the same',
  },
  {
    name: 'lost-reset-unseen',
    file: 'book/numbering.ts',
    find: `if (this.#newest !== undefined && isRenumbered(this.#newest, delta)) return true
    if (snapshotFrom`,
    replace: `if (snapshotFrom !== undefined) return false
    if (snapshotFrom`,
    why: 'behind a lost reset of the numbering everything counts as old',
  },
  {
    name: 'stale-changes-emitted',
    file: 'book/sync.ts',
    find: `if (!this.#held.push(delta)) return this.#overflow()
        return this.#announce('syncing', this.reason, NOTHING)`,
    replace: `if (!this.#held.push(delta)) return this.#overflow()
        return { emit: [delta] }`,
    why: 'changes of a book that waits for its snapshot leave',
  },
  {
    name: 'old-snapshot-accepted',
    file: 'book/sync.ts',
    find: `this.#isJoined = snapshotFrom === 'stream'
`,
    replace: `this.#isJoined = snapshotFrom === 'stream'
    if (deltas[0] !== undefined) snapshot = { ...snapshot, sequence: (deltas[0].first_sequence ?? 1) - 1 }
`,
    why: 'held changes are joined to a snapshot wherever it stands',
  },
  {
    name: 'held-changes-dropped',
    file: 'book/sync.ts',
    find: `return this.#start(snapshot, held.slice(verdict === 'stale' ? i + 1 : i))`,
    replace: `return this.#start(snapshot, held.slice(verdict === 'stale' ? i + 1 : i).slice(-1))`,
    why: 'of the changes that wait for a snapshot only the newest is kept',
  },
  {
    name: 'buffer-dropped',
    file: 'book/sync.ts',
    find: `if (!this.#held.push(delta)) return this.#overflow()
        return this.#announce('syncing', this.reason, NOTHING)`,
    replace: `return this.#announce('syncing', this.reason, NOTHING)`,
    why: 'changes that come while the snapshot is awaited are not kept',
  },
  {
    name: 'book-survives-disconnect',
    file: 'feed/book-feeds.ts',
    find: `if (this.isLive(feed)) feed.isResyncing = true
    this.#invalidate(feed, reason)`,
    replace: `if (this.isLive(feed)) feed.isResyncing = true`,
    why: 'a book stays live when its connection ends',
  },
  {
    name: 'crossed-book-ignored',
    file: 'book/crossing.ts',
    find: `if (!isCrossed) {`,
    replace: `if (isCrossed || !isCrossed) {`,
    why: 'a book that stays crossed is served as live',
  },
  {
    name: 'all-books-rebuilt',
    file: 'feed/book-feeds.ts',
    find: `this.#rebuild(feed, step.need)
      return 'refused'`,
    replace: `this.#rebuild(feed, step.need)
      for (const [, symbol] of books) {
        const other = this.#options.find(symbol)
        if (other !== undefined) this.breaks(other, step.need)
      }
      return 'refused'`,
    why: 'a gap of one symbol rebuilds the books of all',
  },
  {
    name: 'spoilt-book-frame-ignored',
    file: 'feed/intake.ts',
    find: `if (feed.channel === 'book') this.#books.breaks(feed, 'decode_error')
    else if`,
    replace: `if (feed.channel === 'book') return
    else if`,
    why: 'a book frame that cannot be read is passed over',
  },
  {
    name: 'audit-mismatch-ignored',
    file: 'feed/audit.ts',
    find: `if (outcome === 'mismatch') broken(feed, 'audit_mismatch')
    else if`,
    replace: `if (outcome === 'mismatch') return
    else if`,
    why: 'a book that differs from the venue is served on',
  },
  {
    name: 'audit-compares-nothing',
    file: 'feed/audit-run.ts',
    find: `if (found.length === 0) {`,
    replace: `if (found.length >= 0) {`,
    why: 'an audit finds every book to be right',
  },
  {
    name: 'audit-never-runs',
    file: 'feed/audit.ts',
    find: `if (rest.bannedUntilUs !== undefined || rest.waiting > 0 || this.#running.size >= RUNNING_MAX) return`,
    replace: `if (rest.bannedUntilUs !== undefined || rest.waiting >= 0 || this.#running.size >= RUNNING_MAX) return`,
    why: 'no live book is ever compared with the venue',
  },
  {
    name: 'removals-ignored',
    file: 'book/book-side.ts',
    find: `if (isZero(level[1])) {`,
    replace: `if (isZero(level[1]) && this.#size < 0) {`,
    why: 'levels that are gone stay in the book',
  },
  {
    name: 'book-gap-never-closed',
    file: 'feed/book-feeds.ts',
    find: `if (outputs.length > 0 && this.isLive(feed)) ledger.end(endOf(feed, outputs, receiveTimeUs))`,
    replace: `if (outputs.length < 0) ledger.end(endOf(feed, outputs, receiveTimeUs))`,
    why: 'the gap of a book goes on when the book is live again',
  },
]

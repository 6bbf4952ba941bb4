/** Bugs of REST: limits, pauses, bans, and the lists of instruments. */

import type { Mutant } from './mutant.ts'

export const REST_MUTANTS: readonly Mutant[] = [
  {
    name: 'retry-after-unclamped',
    file: 'feed/rest-client.ts',
    find: `const waitMs = Math.min(maxMs, Math.max(RETRY_AFTER_MS.min, fault.retryAfterMs))`,
    replace: `const waitMs = maxMs > 0 ? fault.retryAfterMs : RETRY_AFTER_MS.min`,
    why: 'a venue that asks us to wait for weeks is obeyed, one that says zero is asked at once',
  },
  {
    name: 'retry-after-ignored',
    file: 'feed/rest-client.ts',
    find: `if (fault.kind !== 'banned' && fault.kind !== 'rate_limited') return ''`,
    replace: `if (fault.kind !== 'banned') return ''`,
    why: 'a venue that says 429 is asked on',
  },
  {
    name: 'ban-ignored',
    file: 'feed/rest-client.ts',
    find: `if (fault.kind !== 'banned' && fault.kind !== 'rate_limited') return ''`,
    replace: `if (fault.kind !== 'rate_limited') return ''`,
    why: 'a venue that bans us is asked on',
  },
  {
    name: 'ban-not-persisted',
    file: 'feed/bans.ts',
    find: `.then(() => files.replace(this.#path, text))`,
    replace: `.then(() => (text === '' ? files.replace(this.#path, text) : undefined))`,
    why: 'the next process does not know of a ban',
  },
  {
    name: 'ban-not-read',
    file: 'feed/bans.ts',
    find: `if (leftMs > 0 && leftMs < BELIEVED_MS_MAX) this.#endMs.set`,
    replace: `if (leftMs < 0) this.#endMs.set`,
    why: 'a ban that was written down is not looked up',
  },
  {
    name: 'requests-while-banned',
    file: 'feed/rest-client.ts',
    find: `if (heldMs > 0) return heldMs + 1`,
    replace: `if (heldMs < 0) return heldMs + 1`,
    why: 'requests go out while the venue forbids them',
  },
  {
    name: 'rest-budget-ignored',
    file: 'feed/budget.ts',
    find: `if (ownMs > 0) return ownMs`,
    replace: `if (ownMs > 0) return 0`,
    why: 'requests are sent faster than the venue allows',
  },
  {
    name: 'delisted-symbol-kept',
    file: 'feed/metadata.ts',
    find: `if (known !== undefined) this.#handlers.delisted(symbol)
        else if`,
    replace: `if (known !== undefined) continue
        else if`,
    why: 'a symbol that is off the list is asked for without end',
  },
  {
    name: 'relisted-symbol-forgotten',
    file: 'feed/venue-feed.ts',
    find: `if (this.#isStarted) this.#begin(back)`,
    replace: ``,
    why: 'a symbol that is back on the list is not collected again',
  },
  {
    name: 'snapshot-not-tried-again',
    file: 'feed/snapshots.ts',
    find: `else this.#schedule(symbol, wanted, wanted.backoff.nextMs())`,
    replace: `else this.#wanted.delete(symbol)`,
    why: 'a snapshot that could not be fetched is not asked for again',
  },
]

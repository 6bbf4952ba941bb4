/** Bugs of REST: pauses and bans. */

import type { Mutant } from './mutant.ts'

export const REST_MUTANTS: readonly Mutant[] = [
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
    find: `for (const [host, untilUs] of Object.entries(result.data)) this.#untilUs.set(host, untilUs)`,
    replace: ``,
    why: 'a ban that was written down is not looked up',
  },
  {
    name: 'requests-while-banned',
    file: 'feed/rest-client.ts',
    find: `if (untilUs !== undefined) return (untilUs - nowUs) / 1000 + 1
    const nowMs = clock.monotonicMs()
    if (this.#pausedUntilMs > nowMs) return this.#pausedUntilMs - nowMs`,
    replace: `const nowMs = clock.monotonicMs()
    if (untilUs !== undefined) this.#pausedUntilMs = 0`,
    why: 'requests go out while the venue forbids them',
  },
]

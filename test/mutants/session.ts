/** Bugs of connections: keeping them alive, finding them dead, subscribing, and moving on to the next one. */

import type { Mutant } from './mutant.ts'

export const SESSION_MUTANTS: readonly Mutant[] = [
  {
    name: 'late-frames-accepted',
    file: 'feed/link.ts',
    find: `if (this.#isClosed) {
      handlers.late()
      return
    }`,
    replace: ``,
    why: 'frames of a link that was given up count as data',
  },
  {
    name: 'venue-ping-unanswered',
    file: 'feed/link.ts',
    find: `this.#outbox.pushFirst(decoded.text)`,
    replace: ``,
    why: 'the question of a venue whether we live is not answered',
  },
  {
    name: 'connection-silence-not-found',
    file: 'feed/silence-watch.ts',
    find: `this.#silence.isTooLong(nowMs)`,
    replace: `this.#silence.isTooLong(0)`,
    why: 'nobody notices that a whole connection is silent',
  },
  {
    name: 'feed-silence-not-found',
    file: 'feed/silence-watch.ts',
    find: `else for (const feed of this.#handlers.wanted()) if (link.isOpen) this.#watchFeed(feed, nowMs)`,
    replace: ``,
    why: 'nobody notices that one stream of a connection is silent',
  },
  {
    name: 'answers-not-awaited',
    file: 'feed/requests.ts',
    find: `const late = [...this.#asked].filter(([, { sentMs = nowMs }]) => nowMs - sentMs >= ANSWER_TIMEOUT_MS)`,
    replace: `const late = [...this.#asked].filter(() => nowMs < 0)`,
    why: 'a subscription without an answer is waited for without end',
  },
  {
    name: 'refusal-not-retried',
    file: 'feed/subscriptions.ts',
    find: `if (!isPermanent) this.#retries.add(feed)`,
    replace: ``,
    why: 'what was refused for now is not asked for again',
  },
  {
    name: 'backoff-reset-on-connect',
    file: 'feed/connection.ts',
    find: `this.#silence.opened()
    this.#succession.opened()`,
    replace: `this.#backoff.reset()
    this.#silence.opened()
    this.#succession.opened()`,
    why: 'a venue that opens and closes at once is dialled without growing waits',
  },
  {
    name: 'backoff-zero',
    file: 'feed/backoff.ts',
    find: `return random() * ceilingMs`,
    replace: `return random() * ceilingMs * 0`,
    why: 'what failed is tried again at once',
  },
  {
    name: 'sends-window-ignored',
    file: 'feed/outbox.ts',
    find: `if (waitMs > 0) {`,
    replace: `if (waitMs < 0) {`,
    why: 'messages are sent faster than the venue allows',
  },
  {
    name: 'spoilt-frames-ignored',
    file: 'feed/intake.ts',
    find: `else if (feed.ledger.isCollected) feed.ledger.begin({ cause: 'decode_error', reason })`,
    replace: ``,
    why: 'a ticker or quote that cannot be read is passed over',
  },
  {
    name: 'handover-too-early',
    file: 'feed/handover.ts',
    find: `if (isConfirmed && awaited.length > 0 && awaited.every((seam) => seam.joins(nowMs))) {`,
    replace: `if (awaited.length > 0 || isConfirmed) {`,
    why: 'the second link takes over before it is in step',
  },
  {
    name: 'old-link-kept',
    file: 'feed/connection.ts',
    find: `old?.end(reason)`,
    replace: ``,
    why: 'the first link stays open beside the second',
  },
]

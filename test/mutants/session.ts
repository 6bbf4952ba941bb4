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
    name: 'keepalive-not-sent',
    file: 'feed/link.ts',
    find: `if (hasStalled || nowMs - this.#lastKeepaliveMs >= KEEPALIVE_MS) this.#keepAlive(nowMs)`,
    replace: `if (hasStalled && nowMs < 0) this.#keepAlive(nowMs)`,
    why: 'no ping is sent on a quiet connection',
  },
  {
    name: 'venue-ping-unanswered',
    file: 'feed/link.ts',
    find: `this.#outbox.pushFirst(decoded.text)`,
    replace: ``,
    why: 'the question of a venue whether we live is not answered',
  },
  {
    name: 'half-open-not-found',
    file: 'feed/link.ts',
    find: `if (nowMs - this.#lastByteMs >= DEAD_MS) {`,
    replace: `if (nowMs - this.#lastByteMs >= 1_000 * DEAD_MS) {`,
    why: 'a connection without a byte counts as alive',
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
    find: `else for (const feed of owing) if (link.isOpen) this.#watchFeed(feed, nowMs)`,
    replace: ``,
    why: 'nobody notices that one stream of a connection is silent',
  },
  {
    name: 'subscribe-error-ignored',
    file: 'feed/link.ts',
    find: `this.#handlers.rejected(topics, reason, isPermanent)
      return`,
    replace: `return`,
    why: 'the refusal of a subscription is read and forgotten',
  },
  {
    name: 'ack-taken-for-all',
    file: 'feed/link.ts',
    find: `const isAccepted = (topic: Topic) => accepted === undefined || accepted.includes(topic.name)`,
    replace: `const isAccepted = (topic: Topic) => accepted === undefined || topic.name !== ''`,
    why: 'topics that an answer does not list count as subscribed',
  },
  {
    name: 'refusal-of-one-for-all',
    file: 'feed/link.ts',
    find: `if (!isPermanent || topics.length < 2) {`,
    replace: `if (!isPermanent || topics.length > 0) {`,
    why: 'one bad topic has all those refused that were asked for with it',
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
    file: 'platform/backoff.ts',
    find: `return random() * ceilingMs`,
    replace: `return random() * ceilingMs * 0`,
    why: 'what failed is tried again at once',
  },
  {
    name: 'backoff-without-jitter',
    file: 'platform/backoff.ts',
    find: `return random() * ceilingMs`,
    replace: `return ceilingMs + random() * 0`,
    why: 'what failed together comes back together',
  },
  {
    name: 'connects-window-ignored',
    file: 'feed/connection.ts',
    find: `if (waitMs > 0) return this.#openSoon(waitMs)`,
    replace: `if (waitMs < 0) return this.#openSoon(waitMs)`,
    why: 'connections are opened faster than the venue allows',
  },
  {
    name: 'sends-window-ignored',
    file: 'feed/outbox.ts',
    find: `if (waitMs > 0) {`,
    replace: `if (waitMs < 0) {`,
    why: 'messages are sent faster than the venue allows',
  },
  {
    name: 'pings-beside-the-window',
    file: 'feed/link.ts',
    find: `if (keepalive === 'ping' && !this.#outbox.takePlace()) return`,
    replace: ``,
    why: 'control frames are not counted against the limit of messages',
  },
  {
    name: 'stall-unnoticed',
    file: 'feed/stall.ts',
    find: `const isLate = this.#isLate(nowMs)
    if (isLate)`,
    replace: `const isLate = this.#isLate(nowMs) && nowMs < 0
    if (isLate)`,
    why: 'a process that stood still takes its connections for dead',
  },
  {
    name: 'spoilt-frames-ignored',
    file: 'feed/intake.ts',
    find: `feed.ledger.begin({ cause: 'decode_error', reason, startUs })`,
    replace: `void startUs`,
    why: 'a ticker or quote that cannot be read is passed over',
  },
  {
    name: 'handover-too-early',
    file: 'feed/handover.ts',
    find: `if (isConfirmed && awaited.length > 0 && haveJoined(awaited, nowMs)) {`,
    replace: `if (awaited.length > 0 || isConfirmed) {`,
    why: 'the second link takes over before it is in step',
  },
  {
    name: 'handover-loss-denied',
    file: 'feed/connection.ts',
    find: `loss: seam.joins(this.#now()) ? undefined : this.#lossOf(seam.feed, { reason, cause }),`,
    replace: `loss: seam.joins(this.#now()) || cause !== reason ? undefined : this.#lossOf(seam.feed, { reason, cause }),`,
    why: 'a second link that does not join takes over as if it did',
  },
  {
    name: 'handover-forgets-held',
    file: 'feed/connection.ts',
    find: `for (const { event, checksum, receiveTimeUs } of seam.take())`,
    replace: `for (const { event, checksum, receiveTimeUs } of seam.take().slice(1))`,
    why: 'the first event that waits on the second link is lost',
  },
  {
    name: 'notice-ignored',
    file: 'feed/connection.ts',
    find: `this.#succession.announced(reason)`,
    replace: ``,
    why: 'an announced end of a connection is waited for',
  },
  {
    name: 'states-repeated',
    file: 'feed/intake.ts',
    find: `if (isNew) this.#options.downstream`,
    replace: `if (isNew || !isNew) this.#options.downstream`,
    why: 'a ticker or quote that comes again leaves again',
  },
  {
    name: 'old-link-kept',
    file: 'feed/connection.ts',
    find: `old?.end(reason)`,
    replace: ``,
    why: 'the first link stays open beside the second',
  },
]

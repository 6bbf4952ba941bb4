/** Bugs of the numbers of trades, and of fetching what was missed. */

import type { Mutant } from './mutant.ts'

export const TRADE_MUTANTS: readonly Mutant[] = [
  {
    name: 'trade-gap-not-recorded',
    file: 'feed/trade-feeds.ts',
    find: `if (offer === 'ahead') this.#missed(`,
    replace: `if (offer === 'first') this.#missed(`,
    why: 'missing numbers are jumped over',
  },
  {
    name: 'trade-gap-off-by-one',
    file: 'ledger/tally.ts',
    find: `if (span.first > last + 1) this.#miss({ first: last + 1, last: span.first - 1 })
      this.#last = span.last
      return span.first === last + 1 ? 'next' : 'ahead'`,
    replace: `if (span.first > last + 2) this.#miss({ first: last + 1, last: span.first - 1 })
      this.#last = span.last
      return span.first <= last + 2 ? 'next' : 'ahead'`,
    why: 'a single missing trade is not noticed',
  },
  {
    name: 'backfill-delivered-twice',
    file: 'ledger/tally.ts',
    find: `this.drop(span)
    return 'late'`,
    replace: `return 'late'`,
    why: 'a number that was missing may come as often as it likes',
  },
  {
    name: 'repeats-delivered',
    file: 'feed/trade-feeds.ts',
    find: `if (offer === 'overlap' || offer === 'known') {`,
    replace: `if (offer === 'overlap') {`,
    why: 'a trade that was delivered is delivered again',
  },
  {
    name: 'healed-without-fetching',
    file: 'feed/healer.ts',
    find: `const problem = await this.#pass(feed, due)`,
    replace: `for (const { gap } of due) feed.tally.drop(spanOf(gap))
      const problem = await this.#pass(feed, due)`,
    why: 'a gap is called healed, and nothing was fetched',
  },
  {
    name: 'backfill-off-by-one',
    file: 'feed/healer.ts',
    find: `first: (last ?? 0) + 1,
  last: (first ?? 0) - 1,`,
    replace: `first: (last ?? 0) + 2,
  last: (first ?? 0) - 1,`,
    why: 'the first trade of each gap is not fetched',
  },
  {
    name: 'backfill-hole-between-pages',
    file: 'feed/healer.ts',
    find: `from = page.span.last + 1
`,
    replace: `from = page.span.last + 2
        tally.drop({ first: page.span.last + 1, last: page.span.last + 1 })
`,
    why: 'the trade between two pages is left out',
  },
  {
    name: 'backfill-first-page-only',
    file: 'feed/healer.ts',
    find: `from = page.span.last + 1
`,
    replace: `from = Number.POSITIVE_INFINITY
        for (const { gap } of due) tally.drop(spanOf(gap))
`,
    why: 'of long gaps only the first page is fetched',
  },
  {
    name: 'backfill-backwards',
    file: 'feed/healer.ts',
    find: `trades.filter((trade) => isIn(missing, venue.tradeSpan(trade)))`,
    replace: `trades.filter((trade) => isIn(missing, venue.tradeSpan(trade))).reverse()`,
    why: 'fetched trades leave newest first',
  },
  {
    name: 'healing-given-up-early',
    file: 'feed/healer.ts',
    find: `agoMs > DEADLINE_MS || (isLacking && (await this.#hasPassed(feed, patient)))`,
    replace: `agoMs > DEADLINE_MS || problem === undefined`,
    why: 'a venue whose REST lags is asked once only',
  },
  {
    name: 'healing-ends-at-an-error',
    file: 'feed/healer.ts',
    find: `if (this.#isWhole(feed, patient) ||`,
    replace: `if (problem !== undefined || this.#isWhole(feed, patient) ||`,
    why: 'a request that fails ends the healing of a gap',
  },
  {
    name: 'missed-in-outage-not-asked',
    file: 'feed/trade-answers.ts',
    find: `else if (feed.ledger.outage !== undefined) this.#later(CATCH_UP_MS, () => this.#checks.ask(feed))`,
    replace: `else if (feed.ledger.outage !== undefined) feed.ledger.end({ endUs: nowUs, lost: 0 })`,
    why: 'what was traded during an outage is not asked for',
  },
  {
    name: 'trailing-loss-not-checked',
    file: 'feed/trade-checks.ts',
    find: `this.#cancels.add(platform.clock.every(TICK_MS, tick))`,
    replace: `this.#cancels.add(platform.clock.every(TICK_MS * 1e9, tick))`,
    why: 'the end of a stream that falls silent is never compared with the venue',
  },
  {
    name: 'newest-off-by-one',
    file: 'feed/trade-answers.ts',
    find: `if (newest === undefined || tally.last === undefined || newest <= tally.last) {`,
    replace: `if (newest === undefined || tally.last === undefined || newest <= tally.last + 1) {`,
    why: 'a single trade that is missing at the end counts as none',
  },
  {
    name: 'epoch-not-in-ids',
    file: 'feed/epoch.ts',
    find: `if (epoch === 0) return event`,
    replace: `if (epoch >= 0) return event`,
    why: 'numbers that are used a second time make old ids',
  },
  {
    name: 'numbers-forgotten-by-restart',
    file: 'ledger/feed-ledger.ts',
    find: `this.tally = new Tally(lastSequence, cannotBe ? undefined : newestTradeUs)
    for (const span of missing) this.tally.restore(span)`,
    replace: ``,
    why: 'the next process does not know where the trades of the last one ended',
  },
  {
    name: 'journal-keeps-newest-hole',
    file: 'ledger/state.ts',
    find: `tally.missing.map(`,
    replace: `tally.missing.slice(-1).map(`,
    why: 'the next process takes for delivered what lies in older holes of a stream',
  },
  {
    name: 'missing-numbers-forgotten-by-restart',
    file: 'ledger/feed-ledger.ts',
    find: `for (const span of missing) this.tally.restore(span)`,
    replace: `for (const span of missing) if (span.last < 0) this.tally.restore(span)`,
    why: 'the next process takes for delivered what the last one still missed',
  },
  {
    name: 'answer-before-the-subscription',
    file: 'feed/trade-answers.ts',
    find: `if (ledger.outage !== undefined && (isBehind || isEarly)) return false`,
    replace: `if (ledger.outage !== undefined && isBehind) return false`,
    why: 'an outage ends with an answer that is older than the subscription',
  },
]

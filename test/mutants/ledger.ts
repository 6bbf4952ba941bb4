/** Bugs of the gap ledger: order, durability, and what survives the end of the process. */

import type { Mutant } from './mutant.ts'

export const LEDGER_MUTANTS: readonly Mutant[] = [
  {
    name: 'gap-behind-data',
    file: 'collector/pipeline.ts',
    find: `if (event.type !== 'book_state') flushGaps()
    const bytes = this.#log(event, receiveTimeUs)
    store.accept(event)
    stats.event(event, receiveTimeUs, clock.nowUs())
    this.#tell(event, bytes)`,
    replace: `const bytes = this.#log(event, receiveTimeUs)
    store.accept(event)
    stats.event(event, receiveTimeUs, clock.nowUs())
    this.#tell(event, bytes)
    if (event.type !== 'book_state') flushGaps()`,
    why: 'data leave before the gap record that explains what is missing before them',
  },
  {
    name: 'gap-never-closed',
    file: 'ledger/stream-gaps.ts',
    find: `const gap = this.#outage
    if (gap === undefined) return undefined
    this.#outage = undefined`,
    replace: `const gap = this.#outage
    if (gap === undefined || end.lost === 0) return undefined
    this.#outage = undefined`,
    why: 'an outage without a loss goes on for ever',
  },
  {
    name: 'gap-starts-at-its-end',
    file: 'ledger/feed-ledger.ts',
    find: `const startUs = Math.max(start.startUs ?? this.lastUs ?? this.#openedUs, this.#gaps.earliestUs)`,
    replace: `const startUs = Math.max(this.#hooks.nowUs(), this.#gaps.earliestUs)`,
    why: 'a gap begins when it is noticed rather than at the last message',
  },
  {
    name: 'revision-not-counted',
    file: 'ledger/records.ts',
    find: `revisionOf(gap) + 1) }`,
    replace: `revisionOf(gap)) }`,
    why: 'each change of a gap leaves under the id of the one before',
  },
  {
    name: 'oldest-revision-restored',
    file: 'ledger/state.ts',
    find: `revisionOf(known) < revisionOf(data.gap)`,
    replace: `revisionOf(known) > revisionOf(data.gap)`,
    why: 'the next process takes up gaps as they were first told',
  },
  {
    name: 'healing-not-told',
    file: 'ledger/stream-gaps.ts',
    find: `this.#healing.delete(gapId)
    this.#hooks.record(`,
    replace: `this.#healing.delete(gapId)
    if (gap.end_time_us === undefined) this.#hooks.record(`,
    why: 'the end of healing is not recorded',
  },
  {
    name: 'journal-not-synced',
    file: 'ledger/journal.ts',
    find: `this.#file.append(text)
      this.#file.sync()`,
    replace: `this.#file.append(text)`,
    why: 'gap records are written, and not synced to the disk',
  },
  {
    name: 'journal-not-written',
    file: 'ledger/journal.ts',
    find: `this.#file.append(text)
      this.#file.sync()`,
    replace: `this.#file.sync()`,
    why: 'gap records stay in memory',
  },
  {
    name: 'picture-without-what-came-meanwhile',
    file: 'ledger/journal.ts',
    find: `file.append(this.#meanwhile ?? '')`,
    replace: `file.append('')`,
    why: 'records that come while a fresh file is written are not in it',
  },
  {
    name: 'disk-not-tried-again',
    file: 'ledger/journal.ts',
    find: `this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => void this.#takePicture())`,
    replace: `this.#cancelRetry = this.#options.clock.after(RETRY_MS * 1e6, () => void this.#takePicture())`,
    why: 'a disk that failed once gets no more records',
  },
  {
    name: 'beat-not-written',
    file: 'ledger/ledger.ts',
    find: `this.#journal.add({ k: 'beat', ...this.#stamp(), at, ...of } satisfies JournalRecord)`,
    replace: ``,
    why: 'nothing says until when a killed process lived',
  },
  {
    name: 'beat-without-numbers',
    file: 'ledger/ledger.ts',
    find: `entry.told = String(mark)
      at.push(mark)`,
    replace: `entry.told = String(mark)`,
    why: 'beats do not say where each stream stands',
  },
  {
    name: 'restored-gaps-forgotten',
    file: 'ledger/ledger.ts',
    find: `this.#entries.get(streamKey(gap))?.ledger.restore(gap)`,
    replace: `continue`,
    why: 'gaps that the last process left open stay open for ever',
  },
  {
    name: 'killed-process-denied',
    file: 'ledger/ledger.ts',
    find: `ledger.begin({ cause: 'process_down', startUs: this.#lastBeatUs })`,
    replace: `ledger.live(this.#lastBeatUs)`,
    why: 'the time after a kill is no gap',
  },
  {
    name: 'killed-process-since-start',
    file: 'ledger/ledger.ts',
    find: `ledger.begin({ cause: 'process_down', startUs: this.#lastBeatUs })`,
    replace: `ledger.begin({ cause: 'process_down', startUs: this.#bootUs })`,
    why: 'the gap of a kill begins with the next process rather than with the last beat',
  },
  {
    name: 'shutdown-gap-not-written',
    file: 'ledger/ledger.ts',
    find: `for (const ledger of this.#open) if (ledger.isCollected) ledger.begin({ cause: 'shutdown', startUs })`,
    replace: `for (const ledger of this.#open) if (ledger.isCollected) ledger.live(startUs)`,
    why: 'an orderly end leaves no gap',
  },
]

/** What this version promises, and how each promise is proven. The page is made of it; a test looks whether it all exists. */

export interface Promised {
  readonly id: string
  readonly title: string
  /** Exactly what is promised, with its bounds. */
  readonly text: string
  /** Recorded runs, by name. */
  readonly records: readonly string[]
  /** Tests that run with each commit. */
  readonly tests: readonly string[]
  /** Where the promise ends. */
  readonly limits?: string
}

export const PROMISED: readonly Promised[] = [
  {
    id: 'G1',
    title: 'No loss goes unseen where the venue gives a proof',
    text: 'On streams with proof `counter`, `range` or `chained`, every message that does not arrive lies in a gap record, and a book that is called `live` is the venue’s book. What is delivered twice leaves once.',
    records: ['sim'],
    tests: ['test/check/run.test.ts', 'test/check/oracle.test.ts', 'test/adversary/streams.test.ts'],
    limits:
      'A level of a book that is wrong without breaking the chain (the venue sent it so) is found by comparison with REST, every ten minutes for each book; Binance’s limits allow 12 a minute, so with more than 120 books less often.',
  },
  {
    id: 'G2',
    title: 'Each window of possible loss is a record, no wider than it must be',
    text: 'Every gap says which feed, from when to when, why, from which sequence to which, how many ids where they count, and what was fetched. Without a fault there is no gap.',
    records: ['sim', 'sim-day'],
    tests: ['test/check/oracle-good.test.ts', 'test/ledger/completeness.test.ts'],
  },
  {
    id: 'G3',
    title: 'The record comes before the data behind it',
    text: 'A gap is on disk before any later event of its feed reaches a store, and it is still there after a power failure. Without a durable log that holds for clients of the event stream too; with one they may see the gap and what follows some milliseconds before it is on disk.',
    records: ['sim', 'sim-delivery'],
    tests: ['test/ledger/ledger.test.ts', 'test/check/delivery.test.ts'],
    limits:
      'While the disk refuses writes, gaps are kept in memory, health says so, and a kill in that time loses them.',
  },
  {
    id: 'G4',
    title: '`kill -9` is a gap of the right size',
    text: 'After a kill at any moment, the next process on the same data folder has a `process_down` gap for every feed that was collected, at most 2 s wider than the time without frames (of a book: without a snapshot), and fetches the trades of that time.',
    records: ['kill', 'sim'],
    tests: ['test/prove/waiting.test.ts'],
    limits:
      'A feed that had not delivered its first message is not collected yet: there is nothing to miss. Trades that were lost before the kill, unnoticed, are in the gap too: it then begins when the first of the missing trades was made, or, where the venue does not have that one any more, with the last trade before it.',
  },
  {
    id: 'G5',
    title: 'SIGTERM ends in order',
    text: 'Exit status 0 within 10 s. Every feed has a `shutdown` gap, which the next start ends.',
    records: ['kill'],
    tests: ['test/prove/waiting.test.ts', 'test/collector/stop.test.ts', 'test/service/hardening.test.ts'],
  },
  {
    id: 'G6',
    title: 'Missed trades are fetched',
    text: 'Trades of an outage are delivered with `source: backfill` as soon as the venue answers again, each once, if the venue still has them. If not, the gap is `final` and has the right counts.',
    records: ['outage', 'sim'],
    tests: ['test/prove/waiting.test.ts', 'test/feed/trade-feeds.test.ts', 'test/feed/trade-outages.test.ts'],
    limits:
      'Of a stream that has not brought its first number yet nobody can say what is missing: its gap is `closed` without a count. Books, tickers and quotes of the past cannot be fetched from any of the venues: those gaps are `closed`.',
  },
  {
    id: 'G7',
    title: 'A dropped socket is back within seconds',
    text: 'From the drop to the first message of the new connection: p50 at most 1 s, p99 at most 3 s. To the book’s being live again: p99 at most 5 s, with REST answers that take 200 ms.',
    records: ['drops'],
    tests: ['test/prove/busy.test.ts', 'test/feed/recovery.test.ts'],
    limits:
      'For the first drop after 30 s of data. Connections that keep dropping wait longer each time, up to 30 s. Measured over loopback: add the way to the venue.',
  },
  {
    id: 'G8',
    title: 'Silence is found within 15 s',
    text: 'A connection that is open and says nothing, whether it answers pings or not, is noticed within 15 s if it carries streams that speak often.',
    records: ['silence'],
    tests: ['test/prove/waiting.test.ts', 'test/feed/limits.test.ts', 'test/collector/faults.test.ts'],
    limits:
      'Of one quiet stream among busy ones, silence is told after the time in the table of channels; trades are asked for over REST once a minute.',
  },
  {
    id: 'G9',
    title: 'A planned end costs nothing',
    text: 'A connection that reaches its greatest age, whose end the venue announces, or whose endpoint moves, is replaced before: no gap, no missing or doubled trade, no book leaves `live`.',
    records: ['rotations'],
    tests: ['test/prove/busy.test.ts', 'test/feed/handover-sockets.test.ts', 'test/feed/handover.test.ts'],
  },
  {
    id: 'G10',
    title: 'One bad symbol hurts no other',
    text: 'Gaps, unreadable frames, refused subscriptions, crossed books and dead streams of one symbol cost its neighbours on the same connection nothing. What a venue refuses is told within 5 s: the feed is `down` with the venue’s reason, and a gap is open. What it refuses for good is asked for again only with a new list of instruments.',
    records: ['symbols', 'sim'],
    tests: ['test/prove/busy.test.ts', 'test/collector/faults.test.ts', 'test/feed/refusals.test.ts'],
    limits:
      'Five unreadable frames in 10 s end their connection, for nothing on it can be trusted then; those of one symbol in a row count as one.',
  },
  {
    id: 'G11',
    title: 'Venue limits are kept',
    text: 'No limit of a venue is exceeded, not at a start with 200 symbols either, whose feeds are all live within 60 s; after a ban no request is sent until it ends, across restarts. The simulator bans at the first broken rule.',
    records: ['start', 'sim'],
    tests: [
      'test/prove/busy.test.ts',
      'test/feed/limits.test.ts',
      'test/feed/rest-client.test.ts',
      'test/feed/mass-start.test.ts',
    ],
    limits:
      'Where snapshots weigh on a budget, books that start together begin with fewer levels (100 a side at least) and are widened to 1,000 by their audits, 12 a minute: the last of 200 after 17 minutes. Levels that are not known are not served. The limits are those that the venues document, and the address must not be shared with other programs.',
  },
  {
    id: 'G12',
    title: 'Hostile input does not crash it',
    text: 'Whatever bytes a venue or a client of the API sends: no exception escapes, nothing grows without bound, the rest goes on.',
    records: [],
    tests: ['test/venues/fuzz.test.ts', 'test/api/fuzz.test.ts', 'test/service/hardening.test.ts'],
  },
  {
    id: 'G13',
    title: 'A failure can be run again',
    text: 'The same seed gives the same run of the simulation, byte for byte: a failing seed is one command.',
    records: [],
    tests: ['test/check/run.test.ts'],
  },
  {
    id: 'G14',
    title: 'The tests can fail',
    text: 'Seeded bugs, applied one by one, each break a promise of the simulation that the code without them keeps.',
    records: ['mutants'],
    tests: ['test/check/mutants.test.ts'],
  },
  {
    id: 'G15',
    title: 'What was received is delivered once, whatever dies',
    text: 'Every event that left the collector stands once in NATS, the lake and ClickHouse, after kills of the service at any moment and outages of the servers, however long. A kill takes what was not written yet, at most 10 ms p99 and 25 ms of input where the machine has time for it; trades of it are fetched, everything else of it lies in the gap of the kill. A NATS store that was set back to an older copy gets what it lacks.',
    records: ['delivery', 'restore', 'sim-delivery', 'sim-outage'],
    tests: [
      'test/prove/delivery.test.ts',
      'test/check/delivery.test.ts',
      'test/sinks/pump.test.ts',
      'test/sinks/nats/chaos.test.ts',
    ],
    limits:
      'A loss of power takes up to 50 ms out of the log that stores may have (`spool.sync`): its trades come again with the same ids, which NATS drops within its duplicate window and ClickHouse merges; the lake has both. What is older than `spool.keep_seconds` cannot be given again to a store that has lost it. ClickHouse that is killed while it stores a batch can know the batch’s token and lack its rows: who sends it again looks for them, if its user may read `id` and `time`. On a starved machine a write waits for the processor or the disk, and a kill takes that much more; the run names what the machine itself needed.',
  },
  {
    id: 'G16',
    title: 'A store that is away costs bounded memory and disk',
    text: 'While NATS takes nothing and 20,000 events a second come, the process grows by at most 64 MiB and the log stays within its quota. Then it catches up at four times the rate of the input, while live events reach the log and the clients of the event stream within 250 ms p99; once the backlog is gone, NATS has them within 250 ms p99 too.',
    records: ['frozen'],
    tests: ['test/sinks/pump.test.ts', 'test/spool/spool.test.ts'],
    limits: 'Events are delivered in order: while it catches up, in NATS the newest wait for the oldest.',
  },
  {
    id: 'G17',
    title: 'A full disk loses only what the gaps say',
    text: 'On a full disk the service runs on, also when it is killed and starts again without a free byte. The oldest data that a store lacks go first, and the gaps `log_full` count, feed by feed, exactly what the store has not got, in one gap as long as the store has heard of none; of each gap the newest record is kept. When there is room again, it goes on by itself.',
    records: ['full'],
    tests: ['test/prove/delivery.test.ts', 'test/prove/full-judge.test.ts'],
    limits: 'Instruments that are evicted before a store had them are in no gap, because they are of no feed.',
  },
  {
    id: 'G18',
    title: 'Clients cost the collected data nothing',
    text: 'With 10,000 connections open that drip, lie, hang or say nothing, and 50 clients of the stream that read nothing, `/health` on a new connection answers within 50 ms p99, every trade is collected once, and no gap is made.',
    records: ['connections'],
    tests: ['test/prove/busy.test.ts', 'test/service/hardening.test.ts', 'test/api/stream.test.ts'],
    limits:
      'Where there is room for fewer (`api.connections_max`, 512 unless said) whoever has waited longest without a whole request makes room. The crowd and the simulated exchanges ran on the same machine.',
  },
]

/** Said as plainly as the promises. */
export const NOT_PROMISED: readonly string[] = [
  '**Real exchanges.** Every figure on this page comes from simulated exchanges, written from the venues’ documentation and checked against recordings. Nothing here has talked to a real one. Where a simulator misunderstands its venue, so does the proof.',
  '**Lost messages on streams without a proof.** Where the table below says `none` or `cadence`, a single lost message cannot be seen by anyone; such feeds are counted apart in `/api/v1/completeness`, never as clean.',
  '**The past of books, tickers and quotes.** No venue serves it. A gap there is told and stays.',
  '**Trades older than what the venue keeps**, and on Binance USD-M single trades (`trade`) beyond the newest 1,000.',
  '**Stores other than those that were tried**: one NATS server (2.9), the engine of ClickHouse 26.7 in one process, DuckDB as a reader of the lake. No cluster was.',
  '**A client of the stream** that is not connected, or reads too slowly and is cut, misses what was sent meanwhile; the ledger says nothing about that.',
  '**Days of real time.** The virtual day above takes minutes; memory and file handles over days of a real process are not recorded here yet.',
  '**A starved machine.** The bounds in time need a processor that is there. On 26 November 2026 the same counts were run at low priority beside four times as much work as the machine has cores, and did not meet them: 1,020 drops took p50 1.4 s and p99 10.8 s (books p99 18.3 s); of 1,009 planned replacements 44 came only when the old connection had ended, with 158 gaps told and no trade missing or doubled; of 50 kills one gap was 2.2 s wider than the truth.',
  '**Other machines.** Times were measured over loopback on the machine named with each run; the wide area network, TLS handshakes and DNS come on top.',
]

/** The whole metric catalogue. Names: `marketprism_<noun>_<verb>_<unit>[_total]`; labels have bounded sets of values. */

import type { LabelName } from './metric-labels.ts'

/** Event of a venue to its arrival, and other times over a network. */
const NETWORK_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Work within this process. */
const LOCAL_SECONDS = [
  0.000_001, 0.000_01, 0.000_025, 0.000_05, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25,
]

/** Until a disk has everything. */
const DISK_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

interface MetricBase<Labels extends readonly LabelName[]> {
  readonly name: string
  readonly help: string
  readonly labels: Labels
}

const counter = <const L extends readonly LabelName[]>(name: string, help: string, labels: L) =>
  ({ kind: 'counter', name, help, labels }) as const satisfies MetricBase<L> & { kind: 'counter' }

const gauge = <const L extends readonly LabelName[]>(name: string, help: string, labels: L) =>
  ({ kind: 'gauge', name, help, labels }) as const satisfies MetricBase<L> & { kind: 'gauge' }

/** Observations below zero count as zero and are counted in `marketprism_observations_clamped_total`. */
const histogram = <const L extends readonly LabelName[]>(
  name: string,
  help: string,
  labels: L,
  buckets: readonly number[],
) =>
  ({ kind: 'histogram', name, help, labels, buckets }) as const satisfies MetricBase<L> & {
    kind: 'histogram'
    buckets: readonly number[]
  }

export const METRICS = {
  buildInfo: gauge('marketprism_build_info', 'Always 1; its labels say what is running.', ['version', 'node']),
  framesReceived: counter('marketprism_frames_received_total', 'WebSocket messages received.', ['venue']),
  frameBytes: counter('marketprism_frames_received_bytes_total', 'Bytes of the WebSocket messages received.', [
    'venue',
  ]),
  framesUnknown: counter('marketprism_frames_unknown_total', 'Well-formed frames that are not collected.', [
    'venue',
    'what',
  ]),
  framesMalformed: counter('marketprism_frames_malformed_total', 'Frames that are not what the venue documents.', [
    'venue',
  ]),
  framesLate: counter('marketprism_frames_late_total', 'Frames of a socket that was already replaced; dropped.', [
    'venue',
  ]),
  eventsCollected: counter('marketprism_events_collected_total', 'Normalised events.', ['venue', 'type']),
  eventsDuplicate: counter('marketprism_events_duplicate_total', 'Events that were already collected; dropped.', [
    'venue',
    'type',
  ]),
  errors: counter('marketprism_errors_total', 'Errors, by the stage at which they happened.', ['stage', 'venue']),
  decodeDuration: histogram(
    'marketprism_frame_decode_duration_seconds',
    'Time to decode one frame.',
    ['venue'],
    LOCAL_SECONDS,
  ),
  exchangeLatency: histogram(
    'marketprism_event_exchange_latency_seconds',
    'From the time that the venue gives to receipt; the difference of the two clocks is in it.',
    ['venue'],
    NETWORK_SECONDS,
  ),
  storeLatency: histogram(
    'marketprism_event_store_latency_seconds',
    'From receipt of a frame until its events are stored.',
    ['venue'],
    LOCAL_SECONDS,
  ),
  observationsClamped: counter(
    'marketprism_observations_clamped_total',
    'Observations below zero that were taken as zero: the two clocks disagree.',
    ['metric'],
  ),
  feeds: gauge('marketprism_feeds', 'Feeds in each state.', ['venue', 'channel', 'state']),
  feedBehind: gauge(
    'marketprism_feed_behind_seconds',
    'How much later than usual data come: the worst feed of each channel.',
    ['venue', 'channel'],
  ),
  booksLive: gauge('marketprism_books_live', 'Order books that are proven right now.', ['venue']),
  bookResyncs: counter('marketprism_book_resyncs_total', 'Order books that had to be built anew.', ['venue', 'reason']),
  bookAudits: counter('marketprism_book_audits_total', 'Live order books compared with a snapshot over REST.', [
    'venue',
    'outcome',
  ]),
  bookAuditScore: gauge(
    'marketprism_book_audit_score_ratio',
    'Share of the last 20 audits of an order book that found no difference, 0 to 1.',
    ['venue', 'symbol'],
  ),
  bookGaps: counter('marketprism_book_gaps_total', 'Missing updates found in order books.', ['venue']),
  gaps: counter('marketprism_gaps_total', 'Windows of possible loss that were found.', ['venue', 'channel', 'cause']),
  gapSeconds: counter(
    'marketprism_gap_seconds_total',
    'Length of the gaps that ended with something missing, in seconds.',
    ['venue', 'channel', 'cause'],
  ),
  gapsOpen: gauge('marketprism_gaps_open', 'Gaps that have not ended or are being healed.', ['venue', 'channel']),
  gapsEvicted: counter('marketprism_gaps_evicted_total', 'Gaps that were forgotten to bound the memory.', []),
  idsLost: counter('marketprism_ids_lost_total', 'Running numbers that were missed and could not be fetched.', [
    'venue',
    'channel',
  ]),
  idsHealed: counter('marketprism_ids_healed_total', 'Running numbers that were missed and fetched.', [
    'venue',
    'channel',
  ]),
  coverage: gauge(
    'marketprism_coverage_ratio',
    'Share of the last hour that lies in no gap, 0 to 1: the worst symbol of each channel.',
    ['venue', 'channel'],
  ),
  ledgerWritable: gauge('marketprism_ledger_writable', '1: gaps are written to disk; 0: the disk refuses them.', []),
  socketsOpen: gauge('marketprism_sockets_open', 'Open WebSocket connections to venues.', ['venue']),
  socketConnects: counter('marketprism_socket_connects_total', 'WebSocket connections that opened.', ['venue']),
  socketDisconnects: counter('marketprism_socket_disconnects_total', 'WebSocket connections that ended.', [
    'venue',
    'reason',
  ]),
  rotations: counter('marketprism_rotations_total', 'Connections that were to be replaced before their end.', [
    'venue',
    'outcome',
  ]),
  subscriptionsRejected: counter('marketprism_subscriptions_rejected_total', 'Subscriptions that the venue refused.', [
    'venue',
  ]),
  restRequests: counter('marketprism_rest_requests_total', 'REST requests to venues.', ['venue', 'outcome']),
  restDuration: histogram(
    'marketprism_rest_request_duration_seconds',
    'Time until a venue has answered a REST request.',
    ['venue'],
    NETWORK_SECONDS,
  ),
  restWeightUsed: gauge('marketprism_rest_weight_used_ratio', 'Used share of a venue’s request budget, 0 to 1.', [
    'venue',
    'budget',
  ]),
  restBanUntil: gauge(
    'marketprism_rest_ban_until_timestamp_seconds',
    'Until when a venue forbids requests, seconds since the epoch; 0: it does not.',
    ['venue'],
  ),
  spoolBytes: gauge('marketprism_spool_bytes', 'All files of the durable log together.', []),
  spoolQuota: gauge('marketprism_spool_quota_bytes', 'What all files of the durable log together may take.', []),
  spoolMemory: gauge('marketprism_spool_memory_bytes', 'The newest part of the durable log, held in memory.', []),
  spoolWritable: gauge(
    'marketprism_spool_writable',
    '1: the durable log takes data; 0: the disk fails or is full.',
    [],
  ),
  diskFree: gauge('marketprism_data_disk_free_bytes', 'Room that is left on the disk of the data folder.', []),
  spoolRecords: counter('marketprism_spool_records_total', 'Records that the durable log took.', []),
  spoolEvicted: counter(
    'marketprism_spool_evicted_total',
    'Records that the durable log gave up for lack of room: the oldest before every sink had them, or new ones.',
    ['reason'],
  ),
  spoolGapsWaiting: gauge(
    'marketprism_spool_gaps_waiting',
    'Gap records for which the durable log has no room; they are kept in memory.',
    [],
  ),
  spoolSpoilt: counter('marketprism_spool_spoilt_total', 'Places in the durable log that could not be read.', []),
  spoolIoErrors: counter('marketprism_spool_io_errors_total', 'What the disk refused the durable log.', ['operation']),
  spoolSyncDuration: histogram(
    'marketprism_spool_sync_duration_seconds',
    'Time until the disk had everything that was written to the durable log.',
    [],
    DISK_SECONDS,
  ),
  sinkUp: gauge('marketprism_sink_up', '1: the sink takes what it is given; 0: it is tried again and again.', ['sink']),
  sinkRecords: counter('marketprism_sink_records_total', 'Records that are stored in the sink for certain.', ['sink']),
  sinkBytes: counter('marketprism_sink_bytes_total', 'Their bytes, as events.', ['sink']),
  sinkFailures: counter('marketprism_sink_failures_total', 'Writes and openings of a sink that failed.', ['sink']),
  sinkRejected: counter(
    'marketprism_sink_rejected_total',
    'Records that a sink refused for good; in the dead-letter file.',
    ['sink'],
  ),
  sinkRollbacks: counter('marketprism_sink_rollbacks_total', 'Times that a store had lost what it had confirmed.', [
    'sink',
  ]),
  sinkCounts: counter('marketprism_sink_counts_total', 'What a sink counts of its own: see its page.', [
    'sink',
    'what',
  ]),
  sinkLag: gauge('marketprism_sink_lag_records', 'Records of the log that the sink does not have yet.', ['sink']),
  sinkLagSeconds: gauge(
    'marketprism_sink_lag_seconds',
    'Age of the newest data that the sink has, while it lacks some; before it has any, the time since the start.',
    ['sink'],
  ),
  sinkWriteDuration: histogram(
    'marketprism_sink_write_duration_seconds',
    'Time until a batch was stored.',
    ['sink'],
    NETWORK_SECONDS,
  ),
  storeRecords: gauge('marketprism_store_records', 'Records held in memory.', ['category']),
  streamSubscribers: gauge('marketprism_stream_subscribers', 'Clients of the event stream.', []),
  streamClientsDropped: counter('marketprism_stream_clients_dropped_total', 'Stream clients cut off.', ['reason']),
  httpRequests: counter('marketprism_http_requests_total', 'Requests that the API answered.', ['route', 'status']),
  httpDuration: histogram(
    'marketprism_http_request_duration_seconds',
    'Time to answer an API request.',
    ['route'],
    NETWORK_SECONDS,
  ),
  eventLoopLag: gauge('marketprism_event_loop_lag_seconds', 'How late the last timer of the event loop was.', []),
  eventLoopLagMax: gauge('marketprism_event_loop_lag_max_seconds', 'The latest timer of the last minute.', []),
  logLinesLost: counter('marketprism_log_lines_lost_total', 'Log lines that the log file could not take.', []),
  labelsOverflowed: counter(
    'marketprism_metric_labels_overflowed_total',
    'Series asked for with a label value beyond the bound; counted as `other`.',
    ['metric'],
  ),
  readsFailed: counter('marketprism_metric_reads_failed_total', 'Values that could not be read for an answer.', [
    'metric',
  ]),
  processResident: gauge('process_resident_memory_bytes', 'Resident memory of the process.', []),
  memoryLimit: gauge(
    'marketprism_memory_limit_bytes',
    'Memory that the process may use: the limit of its container, or all of the machine.',
    [],
  ),
  processHeap: gauge('nodejs_heap_used_bytes', 'Used JavaScript heap.', []),
  processCpu: counter('process_cpu_seconds_total', 'User and system CPU time.', []),
  processFds: gauge('process_open_fds', 'Open file descriptors; absent where the system does not tell.', []),
  processStart: gauge('process_start_time_seconds', 'When the process started, seconds since the epoch.', []),
} as const

export type MetricKey = keyof typeof METRICS
export type MetricKind = 'counter' | 'gauge' | 'histogram'
export type KeyOf<Kind extends MetricKind> = {
  [K in MetricKey]: (typeof METRICS)[K]['kind'] extends Kind ? K : never
}[MetricKey]
/** The labels that a metric needs: all of its own, no other. */
export type LabelsOf<K extends MetricKey> = Readonly<Record<(typeof METRICS)[K]['labels'][number], string>>

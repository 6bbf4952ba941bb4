/** What can be configured of the stores behind the durable log. */

import {
  group,
  optionalName,
  optionalPassword,
  optionalSecret,
  optionalUrl,
  type Shape,
  shapedName,
  toggle,
  type UrlRule,
  whole,
} from './config-options.ts'

const NATS: UrlRule = { schemes: ['nats', 'tls'], loopbackOnly: [], allowCredentials: true }
const SUBJECT: Shape = {
  pattern: /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
  expected: 'letters, digits, - and _, in parts separated by dots',
}
const STREAM: Shape = { pattern: /^[A-Za-z0-9_-]+$/, expected: 'letters, digits, - and _' }
const MAX_BYTES = 1_125_899_906_842_624

const nats = group({
  url: optionalUrl(NATS, 'NATS server that events are published to. A user and password, or a token, may stand in it.'),
  token: optionalSecret('Token that the server asks for.'),
  user: optionalName('User that the server asks for.'),
  password: optionalSecret('Its password.'),
  nkey_seed: optionalSecret('Seed of the nkey that the server asks for: SU….'),
  creds_file: optionalName('File with JWT and seed, as `nsc` writes it.'),
  prefix: shapedName(SUBJECT, 'market', 'First part of every subject; dots may be in it.'),
  inbox_prefix: shapedName(SUBJECT, '_INBOX', 'First part of the subject of acknowledgements.'),
  window_messages: whole(1, 16_384, 4096, 'Messages that may be sent and not acknowledged.'),
  window_bytes: whole(65_536, 268_435_456, 8_388_608, 'Bytes that may be sent and not acknowledged.'),
  tls: group({
    required: toggle(false, 'No connection without TLS; `tls://` says the same. Used too where the server offers it.'),
    ca_file: optionalName('PEM file with the authorities to trust; those of the system unless said.'),
    cert_file: optionalName('PEM file with the certificate to show.'),
    key_file: optionalName('PEM file with its key.'),
    first: toggle(false, 'The server expects TLS at once (`handshake_first`).'),
  }),
  stream: group({
    name: shapedName(STREAM, 'MARKET_DATA', 'Stream; created when it is missing, never changed.'),
    age_seconds: whole(60, 315_360_000, 86_400, 'Created stream: older messages go, in seconds.'),
    bytes_max: whole(
      0,
      MAX_BYTES,
      0,
      'Created stream: a full one takes nothing new. 0: no limit but that of the server.',
    ),
    duplicate_seconds: whole(1, 86_400, 600, 'Created stream: how long ids are known, in seconds.'),
    replicas: whole(1, 5, 1, 'Created stream: copies in a cluster.'),
  }),
})

const CLICKHOUSE: UrlRule = { schemes: ['http', 'https'], loopbackOnly: [], allowCredentials: true }

const clickhouse = group({
  url: optionalUrl(CLICKHOUSE, 'ClickHouse server; events are stored there when it is set.'),
  user: optionalName('Instead of that of the URL; `default` when neither says one.'),
  password: optionalPassword('Instead of that of the URL.'),
  database: optionalName('Instead of that of the URL; `marketprism` when neither says one.'),
  migrate: toggle(true, 'Make and update tables and views; needs the right to.'),
  ttl_days: whole(0, 10_000, 0, 'Days after which the server removes market data; 0: what the tables say already.'),
  compress: toggle(false, 'Send rows with gzip: less network, more CPU.'),
  ca_file: optionalName('File with the certificates (PEM) to trust, instead of the system’s.'),
  timeout_ms: whole(1000, 600_000, 30_000, 'How long an answer may take before rows are sent again, in milliseconds.'),
  age_ms: whole(100, 30_000, 1000, 'How long rows are gathered while the server keeps up, in milliseconds.'),
})

const lake = group({
  enabled: toggle(true, 'Keep all events in Parquet files, the lake.'),
  dir: optionalName('Folder of the lake; `lake` in `data_dir` unless said.'),
  max_bytes: whole(
    0,
    1_125_899_906_842_624,
    107_374_182_400,
    'The oldest files are removed when all files together are larger, in bytes; 0: never.',
  ),
  keep_days: whole(0, 36_500, 0, 'Older dates are removed, in days; 0: never.'),
  batch_bytes: whole(
    1_048_576,
    268_435_456,
    33_554_432,
    'Events of so many bytes are written at once, one file a type, exchange and date. Takes about five times as much memory.',
  ),
  batch_seconds: whole(1, 86_400, 300, 'Events are written at the latest after so long, in seconds.'),
})

/** One group for each sink that has options. */
export const sinkOptions = { lake, nats, clickhouse }

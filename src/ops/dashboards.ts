/** What the dashboards show: every panel with its queries, by the names of the metric catalogue. */

import { METRICS, type MetricKey } from './metrics-catalogue.ts'

/** A series for each answer of the query; `legend` names it by its labels: `{{venue}}`. */
export interface Query {
  readonly expr: string
  readonly legend: string
}

/** Grafana's names of units. */
type Unit = 'short' | 'percentunit' | 's' | 'bytes' | 'ops' | 'reqps'

export interface Panel {
  readonly title: string
  /** What a person should know who sees it for the first time. */
  readonly about: string
  readonly kind: 'stat' | 'timeseries'
  readonly unit: Unit
  readonly queries: readonly Query[]
  /** Why a healthy service may have nothing to show. */
  readonly emptyBecause?: string
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface Dashboard {
  /** Part of its address, and its file's name. */
  readonly uid: string
  readonly title: string
  readonly rows: readonly Row[]
}

/** The series of a metric in the chosen environments. `part`: `_bucket` and the like of a histogram. */
const series = (key: MetricKey, matchers = '', part = ''): string =>
  `${METRICS[key].name}${part}{environment=~"$environment"${matchers === '' ? '' : `, ${matchers}`}}`
const rate = (key: MetricKey, by: string, matchers = ''): string =>
  `sum by (${by}) (rate(${series(key, matchers)}[$__rate_interval]))`
const quantile = (share: number, key: MetricKey, by: string): string =>
  `histogram_quantile(${share}, sum by (${[by, 'le'].filter(Boolean).join(', ')}) (rate(${series(key, '', '_bucket')}[$__rate_interval])))`

type Text = Pick<Panel, 'title' | 'about' | 'unit'> & Pick<Partial<Panel>, 'emptyBecause'>
const figure = (text: Text, expr: string): Panel => ({ ...text, kind: 'stat', queries: [{ expr, legend: text.title }] })
const lines = (text: Text, ...queries: readonly (readonly [expr: string, legend: string])[]): Panel => ({
  ...text,
  kind: 'timeseries',
  queries: queries.map(([expr, legend]) => ({ expr, legend })),
})

const WANTED = 'state!~"disabled|delisted"'
const NO_FAULT = 'there is a series only after the first one'

const atAGlance: Row = {
  title: 'At a glance',
  panels: [
    figure(
      { title: 'Feeds live', about: 'Share of the wanted feeds that are live.', unit: 'percentunit' },
      `sum(${series('feeds', 'state="live"')}) / sum(${series('feeds', WANTED)})`,
    ),
    figure(
      { title: 'Covered', about: 'Worst feed: share of the last hour that lies in no gap.', unit: 'percentunit' },
      `min(${series('coverage')})`,
    ),
    figure(
      { title: 'Open gaps', about: 'Not ended yet, or still being healed.', unit: 'short' },
      `sum(${series('gapsOpen')})`,
    ),
    figure({ title: 'Books live', about: 'Proven right now.', unit: 'short' }, `sum(${series('booksLive')})`),
    figure(
      { title: 'Events', about: 'Normalised events a second.', unit: 'ops' },
      `sum(rate(${series('eventsCollected')}[$__rate_interval]))`,
    ),
    figure(
      { title: 'Sinks up', about: 'Stores that take what they are given.', unit: 'short' },
      `sum(${series('sinkUp')})`,
    ),
  ],
}

const feeds: Row = {
  title: 'Feeds',
  panels: [
    lines({ title: 'Events by type', about: 'Normalised events a second.', unit: 'ops' }, [
      rate('eventsCollected', 'venue, type'),
      '{{venue}} {{type}}',
    ]),
    lines({ title: 'Feeds by state', about: 'Anything but live has its reason in /health.', unit: 'short' }, [
      `sum by (venue, state) (${series('feeds')})`,
      '{{venue}} {{state}}',
    ]),
    lines(
      {
        title: 'From the venue to here',
        about: 'Venue time to receipt. The difference of the two clocks is in it.',
        unit: 's',
      },
      [quantile(0.5, 'exchangeLatency', 'venue'), '{{venue}} half'],
      [quantile(0.99, 'exchangeLatency', 'venue'), '{{venue}} 99 %'],
    ),
    lines(
      { title: 'Behind', about: 'How much later than usual data come: the worst feed of each channel.', unit: 's' },
      [series('feedBehind'), '{{venue}} {{channel}}'],
    ),
    lines({ title: 'Sockets', about: 'Open connections to the venues.', unit: 'short' }, [
      series('socketsOpen'),
      '{{venue}}',
    ]),
    lines({ title: 'Connections lost', about: 'By reason, a second.', unit: 'ops', emptyBecause: NO_FAULT }, [
      rate('socketDisconnects', 'venue, reason'),
      '{{venue}} {{reason}}',
    ]),
  ],
}

const completeness: Row = {
  title: 'Completeness',
  panels: [
    lines(
      { title: 'Covered share of the last hour', about: 'The worst symbol of each channel.', unit: 'percentunit' },
      [series('coverage'), '{{venue}} {{channel}}'],
    ),
    lines({ title: 'Open gaps by channel', about: 'Not ended yet, or still being healed.', unit: 'short' }, [
      series('gapsOpen'),
      '{{venue}} {{channel}}',
    ]),
    lines({ title: 'Gaps found', about: 'By cause, in an hour.', unit: 'short', emptyBecause: NO_FAULT }, [
      `sum by (venue, cause) (increase(${series('gaps')}[1h]))`,
      '{{venue}} {{cause}}',
    ]),
    lines(
      { title: 'Numbers missed', about: 'In an hour: lost for good, or fetched afterwards.', unit: 'short' },
      [`sum by (venue, channel) (increase(${series('idsLost')}[1h]))`, '{{venue}} {{channel}} lost'],
      [`sum by (venue, channel) (increase(${series('idsHealed')}[1h]))`, '{{venue}} {{channel}} healed'],
    ),
    lines({ title: 'Books rebuilt', about: 'By reason, in an hour.', unit: 'short', emptyBecause: NO_FAULT }, [
      `sum by (venue, reason) (increase(${series('bookResyncs')}[1h]))`,
      '{{venue}} {{reason}}',
    ]),
    lines({ title: 'Audits', about: 'Live books compared with the venue’s own, in an hour.', unit: 'short' }, [
      `sum by (venue, outcome) (increase(${series('bookAudits')}[1h]))`,
      '{{venue}} {{outcome}}',
    ]),
  ],
}

const requests: Row = {
  title: 'Requests to venues',
  panels: [
    lines({ title: 'Budget used', about: 'The collector stops at 80 % of each limit.', unit: 'percentunit' }, [
      series('restWeightUsed'),
      '{{venue}} {{budget}}',
    ]),
    lines({ title: 'REST requests', about: 'By outcome, a second.', unit: 'reqps' }, [
      rate('restRequests', 'venue, outcome'),
      '{{venue}} {{outcome}}',
    ]),
    lines(
      {
        title: 'Answers',
        about: 'Time until 99 % of the answers were here.',
        unit: 's',
        emptyBecause: 'nothing was asked',
      },
      [quantile(0.99, 'restDuration', 'venue'), '{{venue}}'],
    ),
    lines({ title: 'Banned for', about: 'Until the venue takes requests again; 0: it does.', unit: 's' }, [
      `clamp_min(${series('restBanUntil')} - time(), 0)`,
      '{{venue}}',
    ]),
  ],
}

const service: Row = {
  title: 'The service',
  panels: [
    lines(
      { title: 'Memory', about: 'Resident, the JavaScript heap within it, and the limit.', unit: 'bytes' },
      [series('processResident'), '{{instance}} resident'],
      [series('processHeap'), '{{instance}} heap'],
      [series('memoryLimit'), '{{instance}} limit'],
    ),
    lines({ title: 'CPU', about: 'Cores in use.', unit: 'short' }, [
      `rate(${series('processCpu')}[$__rate_interval])`,
      '{{instance}}',
    ]),
    lines({ title: 'Event loop', about: 'The latest timer of the last minute.', unit: 's' }, [
      series('eventLoopLagMax'),
      '{{instance}}',
    ]),
    lines({ title: 'API', about: 'Requests answered, a second.', unit: 'reqps' }, [
      rate('httpRequests', 'route, status'),
      '{{route}} {{status}}',
    ]),
  ],
}

const durableLog: Row = {
  title: 'Durable log',
  panels: [
    lines(
      { title: 'On disk', about: 'What it holds, and what it may hold.', unit: 'bytes' },
      [series('spoolBytes'), '{{instance}} used'],
      [series('spoolQuota'), '{{instance}} quota'],
    ),
    lines({ title: 'Room on the disk', about: 'Of the data folder.', unit: 'bytes' }, [
      series('diskFree'),
      '{{instance}}',
    ]),
    lines(
      { title: 'Records taken', about: 'And given up for lack of room, a second.', unit: 'ops' },
      [rate('spoolRecords', 'instance'), '{{instance}} taken'],
      [rate('spoolEvicted', 'instance, reason'), '{{instance}} {{reason}}'],
    ),
    lines(
      { title: 'Sync', about: 'Until the disk had everything: half and 99 %.', unit: 's' },
      [quantile(0.5, 'spoolSyncDuration', 'instance'), '{{instance}} half'],
      [quantile(0.99, 'spoolSyncDuration', 'instance'), '{{instance}} 99 %'],
    ),
  ],
}

const sinks: Row = {
  title: 'Sinks',
  panels: [
    lines(
      {
        title: 'Behind',
        about: 'Age of the newest data that a store has. The lake writes every five minutes.',
        unit: 's',
      },
      [series('sinkLagSeconds'), '{{sink}}'],
    ),
    lines({ title: 'Records behind', about: 'Of the log, not in the store yet.', unit: 'short' }, [
      series('sinkLag'),
      '{{sink}}',
    ]),
    lines({ title: 'Records stored', about: 'For certain, a second.', unit: 'ops' }, [
      rate('sinkRecords', 'sink'),
      '{{sink}}',
    ]),
    lines(
      {
        title: 'Writes',
        about: 'Time until 99 % of the batches were stored.',
        unit: 's',
        emptyBecause: 'no batch was written',
      },
      [quantile(0.99, 'sinkWriteDuration', 'sink'), '{{sink}}'],
    ),
    lines({ title: 'Up', about: '1: the store takes what it is given.', unit: 'short' }, [
      series('sinkUp'),
      '{{sink}}',
    ]),
    lines(
      { title: 'Failed, refused, set back', about: 'In an hour.', unit: 'short' },
      [`sum by (sink) (increase(${series('sinkFailures')}[1h]))`, '{{sink}} failed'],
      [`sum by (sink) (increase(${series('sinkRejected')}[1h]))`, '{{sink}} refused for good'],
      [`sum by (sink) (increase(${series('sinkRollbacks')}[1h]))`, '{{sink}} store set back'],
    ),
  ],
}

/** All dashboards. */
export const DASHBOARDS: readonly Dashboard[] = [
  { uid: 'marketprism', title: 'MarketPrism', rows: [atAGlance, feeds, completeness, requests, service] },
  { uid: 'marketprism-delivery', title: 'MarketPrism delivery', rows: [durableLog, sinks] },
]

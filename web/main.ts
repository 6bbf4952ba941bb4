/** The dashboard: asks the API, follows the stream, gives each part what it shows. */

import { type Answer, Api } from './core/api.ts'
import { Backoff } from './core/backoff.ts'
import { describe, type Facts } from './core/connection.ts'
import { byId, setText } from './core/dom.ts'
import { Polls, type Running } from './core/polls.ts'
import { EventStream } from './core/stream.ts'
import {
  type Activity,
  type Completeness,
  type Exchanges,
  type Feeds,
  type Gaps,
  type Health,
  keyOf,
  type Sinks,
  type Stats,
  type Status,
  type StreamEvent,
  type Tickers,
  type Warnings,
} from './core/types.ts'
import { createCharts } from './parts/charts.ts'
import { choice } from './parts/choice.ts'
import { createCompleteness } from './parts/completeness.ts'
import { createFeeds } from './parts/feeds.ts'
import { createFigures } from './parts/figures.ts'
import { createGaps } from './parts/gaps.ts'
import { createHead } from './parts/head.ts'
import { Market } from './parts/market.ts'
import { showHealth, showSinks, showWarnings } from './parts/operations.ts'
import { createOwnFeeds } from './parts/own-feeds.ts'
import { createPicker } from './parts/picker.ts'
import { createVenues } from './parts/venues.ts'

const STATUS_MS = 2_000
const TICK_MS = 500
/** After a gap event the ledger is asked again, but not more often than this. */
const GAPS_REST_MS = 1_000
const UNAUTHORIZED = 401

const api = new Api()
const backoff = new Backoff()
const link: { -readonly [Name in keyof Facts]: Facts[Name] } = {
  isReached: undefined,
  needsToken: false,
  isStreamOpen: false,
  answeredMs: undefined,
  retryMs: undefined,
  status: undefined,
  serviceMs: 0,
  nowMs: 0,
}
let feeds: Feeds | undefined
/** How far back gaps and completeness go. */
let span = '1h'
let askLedger = (): void => undefined
let isLedgerDue = false
let statusTimer: ReturnType<typeof setTimeout> | undefined
let isStatusAsked = false
/** The service's clock minus this machine's. */
let clockOffsetMs = 0
const serviceMs = (): number => Date.now() + clockOffsetMs
const prices = new Map<string, string>()

const head = createHead((token) => {
  api.setToken(token)
  void askStatus()
})
const figures = createFigures()
const venues = createVenues(serviceMs)
const charts = createCharts()
const gapsPart = createGaps()
const completenessPart = createCompleteness()
const ownFeeds = createOwnFeeds(serviceMs)
const market = new Market(api, showConnection)
const picker = createPicker((name) => {
  market.choose(name)
  showOwn()
})
const feedsPart = createFeeds({
  serviceMs,
  price: (key) => prices.get(key),
  chosen: () => picker.chosen,
  onChoose(key) {
    picker.choose(key)
    byId('market').scrollIntoView()
  },
})

const overview = new EventStream(() => api.token, { onEvent, onSubscribed: showConnection, onLost: showConnection })
const polls = new Polls(api, heard)
addPolls()
void askStatus()
setInterval(tick, TICK_MS)

/** Is the service there? Everything else waits for this answer. */
async function askStatus(): Promise<void> {
  if (isStatusAsked) return
  isStatusAsked = true
  clearTimeout(statusTimer)
  const answer = await api.get<Status>('api/v1/status')
  isStatusAsked = false
  const isReached = answer.kind === 'answered'
  const waitMs = isReached ? STATUS_MS : backoff.next()
  link.retryMs = isReached ? undefined : Date.now() + waitMs
  if (isReached) reached(answer.data, answer.serviceMs)
  else lost(answer)
  if (!link.needsToken) statusTimer = setTimeout(askStatus, waitMs)
}

function reached(status: Status, atMs: number): void {
  clockOffsetMs = atMs - Date.now()
  backoff.reset()
  link.status = status
  link.needsToken = false
  link.answeredMs = Date.now()
  head.environment(status.environment)
  figures.status(status)
  if (link.isReached !== true) {
    link.isReached = true
    polls.setReached(true)
    overview.want({ types: ['ticker', 'gap'] })
    market.reconnect()
    void firstPrices()
  }
  showConnection()
}

/** Of instruments whose next ticker may take a while. */
async function firstPrices(): Promise<void> {
  const answer = await api.get<Tickers>('api/v1/collector/data?type=tickers&limit=100')
  if (answer.kind !== 'answered') return
  for (const [key, { price }] of Object.entries(answer.data.recent_data.tickers ?? {})) {
    if (price !== null && !prices.has(key)) prices.set(key, price)
  }
}

function lost(answer: Answer<unknown>): void {
  link.needsToken = isUnauthorized(answer)
  if (link.needsToken) head.tokenProblem(api.token === null ? '' : 'That token is not the right one.')
  link.isReached = false
  polls.setReached(false)
  showConnection()
}

const isUnauthorized = (answer: Answer<unknown>): boolean => answer.kind === 'refused' && answer.status === UNAUTHORIZED

/** A request that failed says little; the status decides. */
function heard(answer: Answer<unknown>): void {
  if (answer.kind === 'unreachable' || isUnauthorized(answer)) void askStatus()
}

function addPolls(): void {
  const add = <Data>(
    id: string,
    path: () => string,
    everyMs: number,
    apply: (data: Data, atMs: number) => void,
  ): Running => polls.add<Data>({ path, everyMs, apply, problem: (text) => setText(byId(`${id}-problem`), text) })
  add<Feeds>('feeds', () => 'api/v1/feeds', 2_000, showFeeds)
  add<Exchanges>(
    'venues',
    () => 'api/v1/collector/exchanges',
    2_000,
    (data) => venues.exchanges(data, feeds),
  )
  add<Stats>('figures', () => 'api/v1/collector/stats', 2_000, figures.stats)
  add<Activity>(
    'activity',
    () => 'api/v1/activity',
    5_000,
    (data) => {
      charts.show(data)
      venues.activity(data)
      figures.activity(data)
    },
  )
  add<Sinks>(
    'sinks',
    () => 'api/v1/sinks',
    2_000,
    (data) => {
      showSinks(data)
      figures.sinks(data)
    },
  )
  add<Health>(
    'health',
    () => 'health',
    5_000,
    (data) => {
      showHealth(data)
      figures.health(data)
    },
  )
  add<Warnings>('warnings', () => 'api/v1/warnings?limit=100', 3_000, showWarnings)
  const gaps = add<Gaps>(
    'gaps',
    () => `api/v1/gaps?since=${span}&limit=1000`,
    10_000,
    (data, atMs) => {
      gapsPart.show(data, span, atMs)
      figures.gaps(data, span)
    },
  )
  const completeness = add<Completeness>(
    'completeness',
    () => `api/v1/completeness?since=${span}`,
    10_000,
    (data) => {
      completenessPart.show(data, span)
      figures.completeness(data, span)
    },
  )
  askLedger = () => {
    gaps.soon()
    completeness.soon()
  }
  choice(byId('window-choice'), (value) => {
    span = value
    askLedger()
  })
}

function showFeeds(next: Feeds): void {
  feeds = next
  picker.list(next.feeds)
  figures.feeds(next)
  venues.feeds(next)
  feedsPart.show(next)
  showOwn()
}

function showOwn(): void {
  ownFeeds.show((feeds?.feeds ?? []).filter((feed) => keyOf(feed) === picker.chosen))
}

function onEvent(event: StreamEvent): void {
  if (event.type === 'ticker') {
    if (typeof event.last_price === 'string') prices.set(keyOf(event), event.last_price)
    return
  }
  if (isLedgerDue) return
  isLedgerDue = true
  setTimeout(() => {
    isLedgerDue = false
    askLedger()
  }, GAPS_REST_MS)
}

/** Ages go on between answers, and while there are none. */
function tick(): void {
  if (document.hidden) return
  showConnection()
  if (link.isReached !== true) return
  venues.tick()
  ownFeeds.tick()
  feedsPart.tick()
}

function showConnection(): void {
  const isStreamOpen = market.isStreamOpen && overview.isOpen
  head.connection(describe({ ...link, isStreamOpen, serviceMs: serviceMs(), nowMs: Date.now() }))
}

/** Numbers that several endpoints show, computed in one place so that they cannot disagree. */

import { isoTimeOrNull } from '../model/time.ts'
import type { RouteDeps } from './deps.ts'
import type { CollectionStats, CollectorView, ExchangeView, StoreView } from './view.ts'

const US_PER_SECOND = 1e6
const PERCENT = 100

export const round2 = (value: number): number => Math.round(value * PERCENT) / PERCENT

export const uptimeSeconds = ({ clock, service }: Pick<RouteDeps, 'clock' | 'service'>): number =>
  round2((clock.nowUs() - service.startUs) / US_PER_SECOND)

/** 100 before the first record; never negative, though more errors than records are possible. */
export const successRate = ({ totalCollections, errors }: CollectionStats): number =>
  totalCollections === 0 ? PERCENT : round2(Math.max(0, ((totalCollections - errors) / totalCollections) * PERCENT))

export const errorRate = ({ totalCollections, errors }: CollectionStats): number =>
  errors === 0 ? 0 : round2((errors / (totalCollections + errors)) * PERCENT)

/** The collector's own counters, in the names of the API. */
export const collectionStats = (stats: CollectionStats) => ({
  rest_requests: stats.restRequests,
  websocket_messages: stats.websocketMessages,
  errors: stats.errors,
  last_update: isoTimeOrNull(stats.lastMessageUs),
  active_sources: stats.activeSources,
  websocket_connections: stats.websocketConnections,
})

export const totalPoints = ({ tickers, orderbooks, trades }: StoreView['counts']): number =>
  tickers + orderbooks + trades

export const features = ({ features: f }: CollectorView) => ({
  collector_initialized: f.collector_initialized,
  orderbook_enabled: f.orderbook_enabled,
  websocket_enabled: f.websocket_enabled,
  normalizer_enabled: f.normalizer_enabled,
})

export const exchangeFacts = (exchange: ExchangeView) => ({
  enabled: exchange.enabled,
  websocket_connected: exchange.websocketConnected,
  rest_api_available: exchange.restApiAvailable,
  last_update: isoTimeOrNull(exchange.lastMessageUs),
  status: exchange.status,
  reason: exchange.reason ?? null,
})

/** Name to facts, in the registry's order. */
export const exchangeMap = (exchanges: readonly ExchangeView[]) =>
  Object.fromEntries(exchanges.map((exchange) => [exchange.exchange, exchangeFacts(exchange)] as const))

import type { Metrics } from '../ops/metrics.ts'
import type { HttpMetrics } from './ports.ts'

/** The route of what was no HTTP request at all. */
const NO_REQUEST = 'no_request'

/** The HTTP side's counts, in the metric catalogue. */
export function httpMetrics(metrics: Metrics): HttpMetrics {
  const clients = metrics.gauge('streamSubscribers', {})
  return {
    answered(route, status, seconds) {
      metrics.counter('httpRequests', { route, status: String(status) }).value++
      metrics.histogram('httpDuration', { route }).observe(seconds)
    },
    rejected(status) {
      metrics.counter('httpRequests', { route: NO_REQUEST, status: String(status) }).value++
    },
    streamClients(count) {
      clients.value = count
    },
    streamClientDropped(reason) {
      metrics.counter('streamClientsDropped', { reason }).value++
    },
    text: () => metrics.text(),
  }
}

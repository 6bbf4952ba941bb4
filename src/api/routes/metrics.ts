import { z } from 'zod'
import type { RouteDeps } from '../deps.ts'
import { plainRoute } from '../route.ts'

/** `GET /metrics` */
export const metrics = ({ metrics: source }: RouteDeps) =>
  plainRoute({
    path: '/metrics',
    summary: 'Counters, gauges and histograms for Prometheus',
    tag: 'operations',
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    isQuiet: true,
    needsToken: true,
    response: z.string(),
    run: async () => ({ status: 200, body: await source.text() }),
  })

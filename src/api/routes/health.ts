import { z } from 'zod'
import { healthDocument } from '../../service/health.ts'
import type { RouteDeps } from '../deps.ts'
import { probeAnswer, probeRoute } from '../probe.ts'
import { seconds, time } from '../schemas.ts'

const check = z.strictObject({ status: z.enum(['pass', 'warn', 'fail']), result: z.string().describe('In words.') })

export const healthResponse = z.strictObject({
  service: z.string(),
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  timestamp: time,
  uptime_seconds: seconds,
  checks: z
    .record(z.string(), check)
    .describe(
      '`service_status`, `event_loop`, `feeds`, `exchange:<name>`, `feed:<venue>:<channel>`, `sink:<name>`, `spool`.',
    ),
})

/** `GET /health` */
export const health = ({ clock, service, checks }: RouteDeps) =>
  probeRoute({
    path: '/health',
    summary: 'How well the service does its job, and every reason',
    description:
      'Unhealthy (503): stopping, or no feed is live though some are wanted. Degraded (200): any other check does not pass.',
    response: healthResponse,
    run() {
      const document = healthDocument(service, checks(), clock.nowUs())
      return probeAnswer(document.status !== 'unhealthy', document)
    },
  })

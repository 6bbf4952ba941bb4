import { z } from 'zod'
import { isoTime } from '../../model/time.ts'
import type { RouteDeps } from '../deps.ts'
import { probeAnswer, probeRoute } from '../probe.ts'
import { time } from '../schemas.ts'

const response = z.strictObject({
  service: z.string(),
  status: z.enum(['ready', 'not_ready']),
  timestamp: time,
  reasons: z.array(z.string()).describe('Why it is not ready.'),
})

/** `GET /health/ready` */
export const healthReady = ({ clock, service, lifecycle, checks }: RouteDeps) =>
  probeRoute({
    path: '/health/ready',
    summary: 'Is there anything to serve',
    description:
      'Ready: running, at least one feed live, the spool writable. A sink that is down does not matter here.',
    response,
    run() {
      const failing = Object.entries(checks()).filter(
        ([name, { status, isCritical }]) => status === 'fail' && (isCritical || name === 'spool'),
      )
      const reasons = failing.map(([name, { result }]) => `${name}: ${result}`)
      if (lifecycle() === 'initializing') reasons.push('service_status: initializing')
      const isReady = reasons.length === 0
      const status = isReady ? 'ready' : 'not_ready'
      return probeAnswer(isReady, { service: service.name, status, timestamp: isoTime(clock.nowUs()), reasons })
    },
  })

import { z } from 'zod'
import { isoTime } from '../../model/time.ts'
import type { RouteDeps } from '../deps.ts'
import { probeAnswer, probeRoute } from '../probe.ts'
import { time } from '../schemas.ts'

/** `GET /health/live` */
export const healthLive = ({ clock, service }: RouteDeps) =>
  probeRoute({
    path: '/health/live',
    summary: 'Is the process alive',
    description: 'A restart helps only when this does not answer.',
    response: z.strictObject({ service: z.string(), status: z.literal('alive'), timestamp: time }),
    run: () => probeAnswer(true, { service: service.name, status: 'alive', timestamp: isoTime(clock.nowUs()) }),
  })

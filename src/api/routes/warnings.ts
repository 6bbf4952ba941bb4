import { z } from 'zod'
import type { RouteDeps } from '../deps.ts'
import type { RecentWarning } from '../operations-view.ts'
import { integerParam } from '../params.ts'
import { dataRoute } from '../route.ts'
import { count, time } from '../schemas.ts'

const LIMIT = { min: 1, max: 200, preset: 50 } as const

const text = z.string().nullable()
const warningSchema = z.strictObject({
  time,
  level: z.enum(['WARNING', 'ERROR']),
  event: z.string().describe('Its name in the log.'),
  message: z.string().describe('For people. What only the log may tell is left out.'),
  venue: text,
  channel: text,
  symbol: text,
  sink: text,
  cause: text,
  outcome: text,
  reason: text,
  repeats: count.nullable().describe('How often it came again since the line before about the same.'),
})

/** `GET /api/v1/warnings` */
export const warnings = ({ warnings: source }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/warnings',
    summary: 'The newest warnings and errors of the log',
    description: `The newest ${LIMIT.max} are kept in memory. What repeats is told once and then once a minute, as in the log; what \`log.level\` leaves out of the log is not here either.`,
    tag: 'collector',
    message: 'Warnings retrieved successfully',
    query: z.object({ limit: integerParam('Limit', LIMIT.min, LIMIT.max, LIMIT.preset, 'Warnings in the answer.') }),
    response: z.strictObject({
      summary: z.strictObject({ warnings: count, errors: count }).describe('Lines since the start.'),
      count: count.describe('Lines in this answer.'),
      warnings: z.array(warningSchema).describe('The newest first.'),
    }),
    handle({ query: { limit } }) {
      const shown = source.newestFirst().slice(0, limit)
      const { WARNING, ERROR } = source.counts
      return { summary: { warnings: WARNING, errors: ERROR }, count: shown.length, warnings: shown.map(warningRecord) }
    },
  })

function warningRecord({ time, level, event, message, fields }: RecentWarning): z.input<typeof warningSchema> {
  const shown = (name: keyof typeof fields): string | null => (fields[name] === undefined ? null : String(fields[name]))
  return {
    time,
    level,
    event,
    message,
    venue: shown('venue'),
    channel: shown('channel'),
    symbol: shown('symbol'),
    sink: shown('sink'),
    cause: shown('cause'),
    outcome: shown('outcome'),
    reason: shown('reason'),
    repeats: typeof fields.repeats === 'number' ? fields.repeats : null,
  }
}

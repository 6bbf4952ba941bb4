import { JSON_TYPE } from '../service/headers.ts'
import { type PlainAnswer, type PlainRoute, plainRoute } from './route.ts'

const OK = 200
const UNAVAILABLE = 503

type ProbeSpec = Pick<PlainRoute, 'path' | 'summary' | 'description' | 'response' | 'run'>

/** An endpoint for orchestrators: 200 or 503, always answered, never limited, open to all. */
export const probeRoute = (spec: ProbeSpec): PlainRoute =>
  plainRoute({
    tag: 'operations',
    contentType: JSON_TYPE,
    isProbe: true,
    isQuiet: true,
    statuses: [UNAVAILABLE],
    ...spec,
  })

export const probeAnswer = (isOk: boolean, document: object): PlainAnswer => ({
  status: isOk ? OK : UNAVAILABLE,
  body: JSON.stringify(document),
})

import { PrismError } from '../model/errors.ts'
import type { EpochUs } from '../model/event.ts'
import { momentUs } from './moment.ts'

export interface Window {
  readonly sinceUs: EpochUs | undefined
  readonly untilUs: EpochUs | undefined
}

/** The window between two moments that {@link momentParam} let pass. Errors: INVALID_PARAMETERS when it is empty. */
export function windowOf(
  { since, until }: { readonly since?: string | undefined; readonly until?: string | undefined },
  nowUs: EpochUs,
): Window {
  const sinceUs = since === undefined ? undefined : momentUs(since, nowUs)
  const untilUs = until === undefined ? undefined : momentUs(until, nowUs)
  if (sinceUs !== undefined && sinceUs >= (untilUs ?? nowUs)) {
    const end = untilUs === undefined ? 'now' : 'until'
    throw new PrismError('INVALID_PARAMETERS', `since parameter must be before ${end}`)
  }
  return { sinceUs, untilUs }
}

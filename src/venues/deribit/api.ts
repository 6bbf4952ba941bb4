import type { EpochUs } from '../../model/event.ts'
import { raw } from '../fields.ts'
import type { Instruments, RestRequest } from '../venue.ts'

/** Cost in credits of `get_instruments`, and of any other method. */
const INSTRUMENTS_COST = 10_000
const DEFAULT_COST = 500

/** A call of a public method; `parse` reads its result. */
export const get = <Result>(
  method: string,
  query: Record<string, string>,
  parse: (result: unknown, receiveTimeUs: EpochUs | undefined, known: Instruments) => Result,
): RestRequest<Result> => ({
  path: `/api/v2/public/${method}?${new URLSearchParams(query)}`,
  budget: method === 'get_instruments' ? 'instruments' : 'credits',
  weight: method === 'get_instruments' ? INSTRUMENTS_COST : DEFAULT_COST,
  parse: (body, receiveTimeUs, known) => parse(raw(body, 'answer').result, receiveTimeUs, known),
})

import { list, type Raw, raw } from '../fields.ts'
import type { Source } from '../origin.ts'
import type { RestRequest } from '../venue.ts'

/** The rows of an answer. */
export const rows = (body: unknown): readonly unknown[] => list(raw(body, 'answer').data, 'data')

/** A request of the market API; each endpoint has a limit of its own, named like it. */
export const rowsOf = <Event>(
  endpoint: string,
  query: string,
  convert: (row: Raw, arg: Raw, source: Source) => Event,
): RestRequest<readonly Event[]> => ({
  path: `/api/v5/market/${endpoint}?${query}`,
  budget: endpoint,
  weight: 1,
  parse: (body, receiveTimeUs, instruments) =>
    rows(body).map((row) => convert(raw(row, 'data'), {}, { receiveTimeUs, instruments })),
})

/** What a client of the stream may ask, and which events it then gets. */

import { z } from 'zod'
import { CHANNEL_OF, type EventType, type MarketEvent } from '../../model/event.ts'
import type { VenueNames } from '../names.ts'

export const EVENT_TYPES = Object.keys(CHANNEL_OF) as readonly EventType[]

const SYMBOLS_MAX = 1_000
const SYMBOL_LENGTH_MAX = 64

/** `undefined`: all of them. */
export interface Filter {
  readonly types: ReadonlySet<string> | undefined
  readonly venues: ReadonlySet<string> | undefined
  readonly symbols: ReadonlySet<string> | undefined
}

export type Command =
  | { readonly op: 'subscribe'; readonly filter: Filter }
  | { readonly op: 'unsubscribe' }
  | { readonly op: 'invalid'; readonly message: string }

export const matches = ({ types, venues, symbols }: Filter, event: MarketEvent): boolean =>
  (types === undefined || types.has(event.type)) &&
  (venues === undefined || venues.has(event.venue)) &&
  (symbols === undefined || symbols.has(event.symbol))

const SHAPE = '{"op":"subscribe","types":[…],"venues":[…],"symbols":[…]} or {"op":"unsubscribe"}'

/** Reads one message of a client. Total: whatever the text, it returns. */
export function commandReader(names: VenueNames): (text: string) => Command {
  const symbolsError = `symbols must be a list of at most ${SYMBOLS_MAX} symbols of 1 to ${SYMBOL_LENGTH_MAX} characters`
  const symbol = z
    .string({ error: symbolsError })
    .min(1, { error: symbolsError })
    .max(SYMBOL_LENGTH_MAX, { error: symbolsError })
  const subscribe = z.strictObject(
    {
      op: z.literal('subscribe'),
      types: listOf('types', EVENT_TYPES),
      venues: listOf('venues', names.venues),
      symbols: z.array(symbol, { error: symbolsError }).max(SYMBOLS_MAX, { error: symbolsError }).optional(),
    },
    { error: `Expected ${SHAPE}` },
  )
  const unsubscribe = z.strictObject({ op: z.literal('unsubscribe') })
  return (text) => {
    const message = parsed(text)
    if (unsubscribe.safeParse(message).success) return { op: 'unsubscribe' }
    const result = subscribe.safeParse(message)
    if (result.success) return { op: 'subscribe', filter: filterOf(result.data) }
    const issue = result.error.issues[0]
    return { op: 'invalid', message: isOpKnown(message) && issue ? issue.message : `Expected ${SHAPE}` }
  }
}

function listOf(name: string, values: readonly string[]) {
  const error = `${name} must be a list of: ${values.join(', ')}`
  return z.array(z.enum(values, { error }), { error }).max(values.length, { error }).optional()
}

const filterOf = (lists: {
  types?: string[] | undefined
  venues?: string[] | undefined
  symbols?: string[] | undefined
}) => ({
  types: lists.types && new Set(lists.types),
  venues: lists.venues && new Set(lists.venues),
  symbols: lists.symbols && new Set(lists.symbols),
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isOpKnown = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'op' in message && message.op === 'subscribe'

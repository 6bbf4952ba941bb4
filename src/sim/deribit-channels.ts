/** The names of Deribit's channels. Source: https://docs.deribit.com/articles/notifications */

import { TOP_DEPTHS } from './deribit-line.ts'

/** Names of intervals and their length. `raw` is for authorised connections only. */
export const INTERVALS_MS = { '100ms': 100, agg2: 2000 } as const
export type Interval = keyof typeof INTERVALS_MS

/** What a channel name asks for. `silent`: a channel that exists and says nothing while all is well. */
export type ChannelName =
  | { readonly kind: 'line'; readonly symbol: string; readonly interval: Interval }
  | { readonly kind: 'raw' }
  | { readonly kind: 'silent' }

const SILENT =
  /^(platform_state|platform_state\.public_methods_state|instrument\.(state|creation)\.[a-z_]+\.[A-Za-z]+)$/

const isInterval = (text: string | undefined): text is Interval =>
  text !== undefined && Object.hasOwn(INTERVALS_MS, text)

/** `undefined`: no channel of this venue. Whether the instrument exists is not looked at. */
export function parseChannel(name: string): ChannelName | undefined {
  if (SILENT.test(name)) return { kind: 'silent' }
  const [channel = '', symbol = '', ...rest] = name.split('.')
  if (symbol === '') return undefined
  if (channel === 'quote') return rest.length === 0 ? { kind: 'line', symbol, interval: '100ms' } : undefined
  const isTop = channel === 'book' && rest.length === 3
  if (isTop && (rest[0] !== 'none' || !TOP_DEPTHS.some((depth) => String(depth) === rest[1]))) return undefined
  if (!isTop && (rest.length !== 1 || !['book', 'trades', 'ticker'].includes(channel))) return undefined
  const interval = rest.at(-1)
  if (interval === 'raw' && !isTop) return { kind: 'raw' }
  return isInterval(interval) ? { kind: 'line', symbol, interval } : undefined
}

import type { Decimal, EpochUs } from '../model/event.ts'

/** Coins that are collected by default, against USDT, where a venue has no better idea. */
export const DEFAULT_BASES = ['BTC', 'ETH', 'BNB', 'ADA', 'XRP', 'SOL', 'DOT', 'DOGE', 'AVAX', 'POL'] as const

/** What makes a canonical name. */
export interface Contract {
  readonly base: string
  readonly quote: string
  readonly settle?: string | undefined
  readonly kind: 'spot' | 'perpetual' | 'future' | 'option'
  readonly expiryUs?: EpochUs | undefined
  readonly strike?: Decimal | undefined
  readonly optionType?: 'call' | 'put' | undefined
}

/**
 * `BASE-QUOTE[-PERP|-YYMMDD][-STRIKE-C|P][:SETTLE]`; `:SETTLE` only where it is not the quote currency, so that
 * BTC-USD-SWAP settled in BTC and in USD have two names. The expiry is the UTC date.
 */
export function canonicalName(contract: Contract): string {
  const { base, quote, settle, kind, expiryUs, strike, optionType } = contract
  let name = `${base}-${quote}`
  if (kind === 'perpetual') name += '-PERP'
  else if (kind !== 'spot' && expiryUs !== undefined) name += `-${dateDigits(expiryUs)}`
  if (kind === 'option' && strike !== undefined) name += `-${strike}-${optionType === 'put' ? 'P' : 'C'}`
  return settle === undefined || settle === quote || kind === 'spot' ? name : `${name}:${settle}`
}

/** `YYMMDD` in UTC. */
const dateDigits = (timeUs: EpochUs): string => new Date(timeUs / 1000).toISOString().slice(2, 10).replaceAll('-', '')

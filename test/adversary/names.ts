/** How each venue writes the symbol of a made-up coin. */
export const VENUES: Readonly<Record<string, (base: string) => string>> = {
  binance: (base) => `${base}USDT`,
  'binance-usdm': (base) => `${base}USDT`,
  okx: (base) => `${base}-USDT`,
  deribit: (base) => `${base}-PERPETUAL`,
}

export const namesOf = (bases: readonly string[]): Record<string, string[]> =>
  Object.fromEntries(Object.entries(VENUES).map(([venue, of]) => [venue, bases.map(of)]))

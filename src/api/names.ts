/** The venues that the API may be asked for: one list, from the registry. */
export interface VenueNames {
  /** `binance`, `binance-usdm`, … */
  readonly venues: readonly string[]
  /** `binance`, `okx`, …: each once, in the registry's order. */
  readonly exchanges: readonly string[]
}

export const venueNames = (registry: readonly { readonly id: string; readonly exchange: string }[]): VenueNames => ({
  venues: registry.map(({ id }) => id),
  exchanges: [...new Set(registry.map(({ exchange }) => exchange))],
})

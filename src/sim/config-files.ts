import { stringify } from 'yaml'

/** What a running simulator offers of one venue. */
export interface SimulatedVenue {
  readonly id: string
  readonly symbols: readonly string[]
  /** Keys of `exchanges.yaml` with their URLs; `undefined`: the venue is not simulated. */
  readonly options: Readonly<Record<string, string>> | undefined
}

/** Configuration files, by name, with which the collector collects from a simulator and from nowhere else. */
export function configFiles(venues: readonly SimulatedVenue[]): Record<'exchanges.yaml' | 'service.yaml', string> {
  const exchanges = venues.map(({ id, symbols, options }) => {
    if (!options) return [id, { enabled: false }]
    const urls = Object.fromEntries(Object.entries(options).map(([key, url]) => [key, [url]]))
    return [id, { enabled: true, ...urls, symbols: [...symbols] }]
  })
  return {
    'exchanges.yaml': `# Written by \`marketprism sim\`.\n${stringify({ exchanges: Object.fromEntries(exchanges) })}`,
    'service.yaml': `# Written by \`marketprism sim\`.\n${stringify({ environment: 'simulation' })}`,
  }
}

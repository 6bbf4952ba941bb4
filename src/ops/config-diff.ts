/** What a new configuration changes, and what of it a running service can take over. Pure. */

import type { Venue } from '../venues/venue.ts'
import { valueAt } from './config.ts'
import { listOptions } from './config-options.ts'
import { CONFIG_FILES, type Config, configSchemas } from './config-schema.ts'
import { valueText, withoutSecrets } from './describe.ts'

export interface ConfigChange {
  /** Key path: `exchanges.okx.symbols`. */
  readonly path: string
  /** As text, without secrets; `-`: not set. */
  readonly before: string
  readonly after: string
  /** False: it counts after a restart. */
  readonly isApplied: boolean
}

/** Every option that differs, in the order of the files. */
export function diffConfig(before: Config, after: Config, venues: readonly Venue[]): ConfigChange[] {
  const applied = withApplicable(before, after)
  const schemas = configSchemas(venues)
  return CONFIG_FILES.flatMap((file) => listOptions(schemas[file])).flatMap(({ path, facts }) => {
    const isSame = (a: Config, b: Config) => JSON.stringify(valueAt(a, path)) === JSON.stringify(valueAt(b, path))
    const text = (config: Config) => valueText(withoutSecrets(valueAt(config, path), facts))
    if (isSame(before, after)) return []
    return [{ path, before: text(before), after: text(after), isApplied: isSame(applied, after) }]
  })
}

/** `before` with what a running service takes over of `after`: what is collected, from where, and what is logged. */
export function withApplicable(before: Config, after: Config): Config {
  const { collect, enable_orderbook, exchanges, allow_insecure_endpoints, allow_private_hosts, log } = after
  return {
    ...before,
    collect,
    enable_orderbook,
    exchanges,
    allow_insecure_endpoints,
    allow_private_hosts,
    log: { ...before.log, level: log.level },
  }
}

/** Shows the effective configuration: every value and where it comes from, without secrets. */

import type { Venue } from '../venues/venue.ts'
import { type LoadedConfig, valueAt } from './config.ts'
import { listOptions, type OptionFacts } from './config-options.ts'
import { CONFIG_FILES, configSchemas } from './config-schema.ts'

const HIDDEN = '***'
const UNSET = '-'
/** Longer values do not push the origins of all others out of sight. */
const VALUE_WIDTH_MAX = 44

export interface ConfigEntry {
  /** Key path: `api.port`. */
  readonly path: string
  /** As in the configuration, secrets replaced; `undefined`: not set. */
  readonly value: unknown
  readonly origin: string
}

/** Every option, in the order of the files. */
export function configEntries({ config, origins }: LoadedConfig, venues: readonly Venue[]): readonly ConfigEntry[] {
  const schemas = configSchemas(venues)
  return CONFIG_FILES.flatMap((file) =>
    listOptions(schemas[file]).map(({ path, facts }) => ({
      path,
      value: withoutSecrets(valueAt(config, path), facts),
      origin: origins.get(path) ?? 'default',
    })),
  )
}

/** Lines such as `api.port  8084  env API_PORT`, aligned. */
export function configText(entries: readonly ConfigEntry[]): string {
  const rows = entries.map(({ path, value, origin }) => ({ path, text: valueText(value), origin }))
  const pathWidth = Math.max(...rows.map(({ path }) => path.length))
  const valueWidth = Math.min(VALUE_WIDTH_MAX, Math.max(...rows.map(({ text }) => text.length)))
  return rows
    .map(({ path, text, origin }) => `${path.padEnd(pathWidth)}  ${text.padEnd(valueWidth)}  ${origin}\n`)
    .join('')
}

/** A value as people read it: lists with commas, `-` for what is not set. */
export function valueText(value: unknown): string {
  if (value === undefined) return UNSET
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.join(', ')
  return String(value)
}

/** The value of an option, as it may be shown. */
export function withoutSecrets(value: unknown, { secret }: OptionFacts): unknown {
  if (secret === undefined || value === undefined) return value
  return secret === 'whole' ? HIDDEN : String(value).replace(/^([^/]*:\/\/).*@/, `$1${HIDDEN}@`)
}

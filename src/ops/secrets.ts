/** The secrets of a configuration, so that nothing that is written repeats them, wherever a text came from. */

import type { Venue } from '../venues/venue.ts'
import { valueAt } from './config.ts'
import { listOptions } from './config-options.ts'
import { CONFIG_FILES, type Config, configSchemas } from './config-schema.ts'

const HIDDEN = '***'
/** What is shorter is found in any text. */
const LENGTH_MIN = 6

/** Tokens and passwords, also those in addresses, as they are and as addresses write them. */
export function secretsOf(config: Config, venues: readonly Venue[]): readonly string[] {
  const schemas = configSchemas(venues)
  const found = CONFIG_FILES.flatMap((file) =>
    listOptions(schemas[file]).flatMap(({ path, facts: { secret } }) => {
      const value = valueAt(config, path)
      if (secret === undefined || value === undefined) return []
      return secret === 'whole' ? [String(value)] : [value].flat().flatMap((address) => passwordOf(String(address)))
    }),
  )
  return [...new Set(found.flatMap((secret) => [secret, encodeURIComponent(secret)]))]
}

/** Of `scheme://user:password@host`, or the token in place of both. */
function passwordOf(address: string): string[] {
  const [, credentials] = /^[^/]*:\/\/(.*)@/.exec(address) ?? []
  if (credentials === undefined) return []
  const password = credentials.slice(credentials.indexOf(':') + 1)
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}

/** Replaces each of them in a line of JSON. */
export function secretMask(secrets: readonly string[]): (line: string) => string {
  const words = secrets
    .filter(({ length }) => length >= LENGTH_MIN)
    // A secret may be the beginning of another.
    .sort((a, b) => b.length - a.length)
    .map((secret) =>
      JSON.stringify(secret)
        .slice(1, -1)
        .replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'),
    )
  if (words.length === 0) return (line) => line
  const pattern = new RegExp(words.join('|'), 'g')
  return (line) => line.replace(pattern, HIDDEN)
}

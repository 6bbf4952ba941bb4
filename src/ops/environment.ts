/** Environment variables and command line flags: which option each one sets. The only reader of the process's environment. */

import { resolve } from 'node:path'
import { readText } from './read-text.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A value from outside the files. `origin` is what errors and `marketprism config` call it: `env API_PORT`. */
export interface Override {
  /** Key path: `api.port`, `exchanges.okx.rest_url`. */
  readonly path: string
  readonly value: unknown
  readonly origin: string
}

type Reading = 'text' | 'number' | 'boolean'

interface Source {
  readonly path: string
  readonly reading: Reading
  /** It may stand in a file, which the variable with `_FILE` at its end names: others cannot see it in the process then. */
  readonly isSecret?: true
}

/** What the environment says, and what of it cannot be used. */
export interface EnvironmentValues {
  readonly overrides: readonly Override[]
  readonly errors: readonly string[]
}

/** Variable -> option. `PYTHONPATH` and `PYTHONUNBUFFERED` of older deployments mean nothing here and are ignored. */
export const VARIABLES = {
  ENVIRONMENT: { path: 'environment', reading: 'text' },
  DATA_DIR: { path: 'data_dir', reading: 'text' },
  API_HOST: { path: 'api.host', reading: 'text' },
  API_PORT: { path: 'api.port', reading: 'number' },
  API_TOKEN: { path: 'api.token', reading: 'text', isSecret: true },
  LOG_LEVEL: { path: 'log.level', reading: 'text' },
  LOG_FORMAT: { path: 'log.format', reading: 'text' },
  NATS_URL: { path: 'nats.url', reading: 'text', isSecret: true },
  NATS_USER: { path: 'nats.user', reading: 'text' },
  NATS_PASSWORD: { path: 'nats.password', reading: 'text', isSecret: true },
  NATS_TOKEN: { path: 'nats.token', reading: 'text', isSecret: true },
  NATS_NKEY_SEED: { path: 'nats.nkey_seed', reading: 'text', isSecret: true },
  CLICKHOUSE_URL: { path: 'clickhouse.url', reading: 'text', isSecret: true },
  CLICKHOUSE_USER: { path: 'clickhouse.user', reading: 'text' },
  CLICKHOUSE_PASSWORD: { path: 'clickhouse.password', reading: 'text', isSecret: true },
  ENABLE_WEBSOCKET: { path: 'enable_websocket', reading: 'boolean' },
  ENABLE_ORDERBOOK: { path: 'enable_orderbook', reading: 'boolean' },
  COLLECTION_INTERVAL: { path: 'collection_interval_seconds', reading: 'number' },
} as const satisfies Record<string, Source>

/** Names the folder with the configuration files. */
export const CONFIG_DIR_VARIABLE = 'MARKETPRISM_CONFIG_DIR'

interface Flag extends Source {
  /** As commander declares it. */
  readonly usage: string
  /** As commander names its value. */
  readonly attribute: string
}

/** Flag -> option, for every command that runs the service. */
export const FLAGS: readonly Flag[] = [
  { usage: '--environment <name>', attribute: 'environment', path: 'environment', reading: 'text' },
  { usage: '--data-dir <dir>', attribute: 'dataDir', path: 'data_dir', reading: 'text' },
  { usage: '--host <address>', attribute: 'host', path: 'api.host', reading: 'text' },
  { usage: '--port <number>', attribute: 'port', path: 'api.port', reading: 'number' },
  { usage: '--log-level <level>', attribute: 'logLevel', path: 'log.level', reading: 'text' },
  { usage: '--log-format <format>', attribute: 'logFormat', path: 'log.format', reading: 'text' },
]

/** The environment of this process. */
export const processEnvironment = (): Environment => process.env

/** The variables that may set an option, the one that names a file included. */
export const variablesOf = ({ variable, isSecret }: { readonly variable: string; readonly isSecret?: true }) =>
  isSecret ? [variable, `${variable}_FILE`] : [variable]

/** The options that the environment sets. An empty variable counts as not set. Files are relative to `cwd`. */
export function environmentValues(environment: Environment, cwd: string): EnvironmentValues {
  const overrides: Override[] = []
  const errors: string[] = []
  for (const [variable, source] of Object.entries<Source>(VARIABLES)) {
    const [given, ...others] = variablesOf({ variable, ...source }).filter((name) => isSet(environment, name))
    if (given === undefined) continue
    const origin = `env ${given}`
    if (others.length > 0) {
      errors.push(`${origin}: set this or ${others.join()}, not both`)
      continue
    }
    const text = environment[given]?.trim() ?? ''
    const found = given === variable ? { text } : secretIn(text, cwd)
    if ('error' in found) errors.push(`${origin}: ${found.error}`)
    else overrides.push({ path: source.path, value: read(found.text, source.reading), origin })
  }
  return { overrides, errors }
}

const isSet = (environment: Environment, name: string): boolean => (environment[name]?.trim() ?? '') !== ''

/** The secret in a file, without the end of its line. */
function secretIn(path: string, cwd: string): { readonly text: string } | { readonly error: string } {
  const found = readText(resolve(cwd, path))
  if (found === undefined) return { error: `there is no file ${path}` }
  if ('error' in found) return { error: `${path}: ${found.error}` }
  const text = found.text.trim()
  return text === '' ? { error: `${path} is empty` } : { text }
}

/** The options that parsed command line flags set; keys as commander names them. */
export function flagOverrides(values: Readonly<Record<string, unknown>>): Override[] {
  return FLAGS.flatMap(({ usage, attribute, path, reading }) => {
    const text = values[attribute]
    if (typeof text !== 'string') return []
    return [{ path, value: read(text.trim(), reading), origin: `flag ${usage.split(' ')[0]}` }]
  })
}

/** What cannot be read stays text, so that the schema refuses it and shows it as it was given. */
function read(text: string, reading: Reading): unknown {
  if (reading === 'number') return /^-?\d{1,15}$/.test(text) ? Number(text) : text
  if (reading === 'boolean') {
    const word = text.toLowerCase()
    if (['true', '1', 'yes', 'on'].includes(word)) return true
    if (['false', '0', 'no', 'off'].includes(word)) return false
  }
  return text
}

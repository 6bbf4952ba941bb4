/** Loads the configuration: defaults, then YAML files, then environment, then flags. All errors at once. */

import type { z } from 'zod'
import { PrismError } from '../model/errors.ts'
import type { Venue } from '../venues/venue.ts'
import { ConfigErrors } from './config-errors.ts'
import { type FileTree, readConfigFolder } from './config-files.ts'
import { listOptions } from './config-options.ts'
import {
  CONFIG_FILES,
  type Config,
  type ConfigFile,
  type ConfigSchemas,
  configSchemas,
  type EndpointRules,
} from './config-schema.ts'
import { CONFIG_DIR_VARIABLE, type Environment, environmentValues, type Override } from './environment.ts'

export interface ConfigSources {
  /** The registry of venues. */
  readonly venues: readonly Venue[]
  readonly environment: Environment
  /** Paths in files and messages are relative to it. */
  readonly cwd: string
  /** `--config DIR`; must exist. */
  readonly configDir?: string | undefined
  /** Applied last: command line flags, or what a command such as the demo decides itself. */
  readonly overrides?: readonly Override[]
}

export interface LoadedConfig {
  /** Complete and deeply frozen. */
  readonly config: Config
  /** Key path of every option -> `default`, `config/service.yaml:12`, `env API_PORT`, `flag --port`. */
  readonly origins: ReadonlyMap<string, string>
  /** Folder that the files came from; `undefined`: none was found. */
  readonly folder: string | undefined
  /** For the log, once it is there. */
  readonly warnings: readonly string[]
}

/** Errors: throws PrismError CONFIG_INVALID; its message has one line for each mistake. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const fromEnvironment = sources.environment[CONFIG_DIR_VARIABLE]?.trim() ?? ''
  const {
    folder,
    files,
    errors: fileErrors,
    warning,
  } = readConfigFolder(sources.cwd, sources.configDir, fromEnvironment)
  const trees = { ...files }
  const fromVariables = environmentValues(sources.environment, sources.cwd)
  const overrides = [...fromVariables.overrides, ...(sources.overrides ?? [])]
  const strict = configSchemas(sources.venues)
  for (const override of overrides) {
    const file = fileOf(override.path, strict)
    trees[file] = withOverride(trees[file], override)
  }
  const schemas = configSchemas(sources.venues, endpointRules(trees['exchanges.yaml'].tree))
  const errors = new ConfigErrors(schemas)
  const parts = CONFIG_FILES.map((file) => parsePart(file, schemas[file], trees[file], errors))
  const lines = [...fileErrors, ...fromVariables.errors, ...errors.lines]
  if (lines.length > 0) throw new PrismError('CONFIG_INVALID', lines.join('\n'), { errors: lines.length })
  return {
    config: deepFreeze(Object.assign({}, ...parts)) as Config,
    origins: originsOf(schemas, trees),
    folder,
    warnings: warning === undefined ? [] : [warning],
  }
}

/** What the file allows; values of other kinds allow nothing, and are refused as what they are. */
function endpointRules(tree: FileTree['tree']): EndpointRules {
  const { allow_insecure_endpoints: insecure, allow_private_hosts: hosts } = tree
  const privateHosts = Array.isArray(hosts) ? hosts.filter((host) => typeof host === 'string') : []
  return { allowInsecure: insecure === true, privateHosts }
}

function parsePart(file: ConfigFile, schema: z.ZodObject, part: FileTree, errors: ConfigErrors): object {
  const result = schema.safeParse(part.tree, { reportInput: true })
  if (result.success) return result.data
  errors.add(file, result.error.issues, part)
  return {}
}

function fileOf(path: string, schemas: ConfigSchemas): ConfigFile {
  const root = path.split('.')[0] ?? ''
  return CONFIG_FILES.find((file) => root in schemas[file].shape) ?? 'service.yaml'
}

/** `part` with one value from outside the files. What stands where a group should is left for the schema to refuse. */
function withOverride(part: FileTree, { path, value, origin }: Override): FileTree {
  const places = new Map(part.places)
  for (const place of part.places.keys()) if (place.startsWith(`${path}.`)) places.delete(place)
  places.set(path, origin)
  return { ...part, tree: withValue(part.tree, path.split('.'), value) as FileTree['tree'], places }
}

function withValue(tree: unknown, keys: readonly string[], value: unknown): unknown {
  const [key, ...rest] = keys
  if (key === undefined) return value
  if (tree !== undefined && (typeof tree !== 'object' || tree === null || Array.isArray(tree))) return tree
  const group: Readonly<Record<string, unknown>> = { ...tree }
  return { ...group, [key]: withValue(group[key], rest, value) }
}

function originsOf(schemas: ConfigSchemas, trees: Readonly<Record<ConfigFile, FileTree>>): Map<string, string> {
  const origins = new Map<string, string>()
  for (const file of CONFIG_FILES) {
    for (const { path } of listOptions(schemas[file])) origins.set(path, placeOf(trees[file], path) ?? 'default')
  }
  return origins
}

/** Where the value of `path` was written; what came by an alias counts as written where the alias stands. */
function placeOf({ tree, places }: FileTree, path: string): string | undefined {
  if (valueAt(tree, path) === undefined) return undefined
  for (let prefix = path; prefix !== ''; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf('.')))) {
    const place = places.get(prefix)
    if (place !== undefined) return place
  }
  return undefined
}

/** The value at a key path of a configuration or a part of one. */
export function valueAt(tree: unknown, path: string): unknown {
  let value = tree
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return value
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const child of Object.values(value)) deepFreeze(child)
  return Object.freeze(value)
}

/** Finds the folder with the configuration and reads its YAML files, keeping the line of every key. */

import { statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument, type YAMLError } from 'yaml'
import { errorText } from '../model/errors.ts'
import { CONFIG_FILES, type ConfigFile } from './config-schema.ts'
import { CONFIG_DIR_VARIABLE } from './environment.ts'
import { readText } from './read-text.ts'

/** Aliases that one file may expand to. */
const ALIASES_MAX = 100
/** Searched when no folder is named. */
const DEFAULT_FOLDERS = ['./config', '/app/config']

/** One file's content. */
export interface FileTree {
  /** As shown to people: `config/service.yaml`. */
  readonly name: string
  /** Keys without a value are left out. */
  readonly tree: Readonly<Record<string, unknown>>
  /** Key path -> `config/service.yaml:12`. */
  readonly places: ReadonlyMap<string, string>
}

export interface ConfigFolder {
  /** `undefined`: there is none, and everything has its default. */
  readonly folder: string | undefined
  readonly files: Readonly<Record<ConfigFile, FileTree>>
  readonly errors: readonly string[]
  /** What a person should know: files or folders that are not there. One sentence, or nothing. */
  readonly warning: string | undefined
}

const empty = (name: string): FileTree => ({ name, tree: {}, places: new Map() })

/** Reads all files of the first folder that exists: `named`, that of the environment, `./config`, `/app/config`. */
export function readConfigFolder(cwd: string, named: string | undefined, fromEnvironment: string): ConfigFolder {
  const errors: string[] = []
  const files = {
    'service.yaml': empty('service.yaml'),
    'exchanges.yaml': empty('exchanges.yaml'),
    'public_data_sources.yaml': empty('public_data_sources.yaml'),
  }
  if (named !== undefined && !isFolder(resolve(cwd, named))) {
    return { folder: undefined, files, errors: [`flag --config: there is no folder ${named}`], warning: undefined }
  }
  const candidates = named !== undefined ? [named] : [fromEnvironment, ...DEFAULT_FOLDERS].filter((path) => path !== '')
  const folder = candidates.map((path) => resolve(cwd, path)).find(isFolder)
  if (folder === undefined) {
    const warning = `No configuration folder (looked for ${candidates.join(', ')}); every option has its default.`
    return { folder, files, errors, warning }
  }
  const missing: string[] = []
  for (const file of CONFIG_FILES) {
    const path = join(folder, file)
    const shown = shownPath(path, cwd)
    const text = readText(path)
    if (text === undefined) missing.push(shown)
    else if ('error' in text) errors.push(`${shown}: ${text.error}`)
    else files[file] = parseYaml(text.text, shown, errors)
  }
  const sentences = [
    fromEnvironment !== '' && named === undefined && folder !== resolve(cwd, fromEnvironment)
      ? `${CONFIG_DIR_VARIABLE} names ${fromEnvironment}, which is no folder; using ${shownPath(folder, cwd)}.`
      : '',
    missing.length > 0 ? `Not found, so its options have their defaults: ${missing.join(', ')}.` : '',
  ].filter((sentence) => sentence !== '')
  return { folder, files, errors, warning: sentences.length > 0 ? sentences.join(' ') : undefined }
}

/** Relative below `cwd`, absolute elsewhere. */
function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path)
  return below.startsWith('..') || isAbsolute(below) ? path : below
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function parseYaml(text: string, file: string, errors: string[]): FileTree {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const problems = [...document.errors, ...document.warnings]
  for (const problem of problems) {
    errors.push(`${file}:${lines.linePos(problem.pos[0]).line} ${yamlProblem(problem, text)}`)
  }
  if (problems.length > 0 || document.contents === null) return empty(file)
  if (isScalar(document.contents) && document.contents.value === null) return empty(file)
  if (!isMap(document.contents)) {
    errors.push(`${file}:1 expected keys and values, received something else`)
    return empty(file)
  }
  try {
    const tree = withoutNulls(document.toJS({ maxAliasCount: ALIASES_MAX })) as FileTree['tree']
    const places = new Map<string, string>()
    collectPlaces(document.contents, '', (path, offset) => places.set(path, `${file}:${lines.linePos(offset).line}`))
    return { name: file, tree, places }
  } catch (error) {
    errors.push(`${file}: ${error instanceof ReferenceError ? 'too many aliases' : errorText(error)}`)
    return empty(file)
  }
}

function yamlProblem(problem: YAMLError, text: string): string {
  if (problem.code !== 'DUPLICATE_KEY') return `not valid YAML: ${problem.message.split('\n')[0]}`
  const key = /^[^:\s]*/.exec(text.slice(problem.pos[0]))?.[0] ?? ''
  return `duplicate key ${JSON.stringify(key)}`
}

/** Calls `visit` for every key and list entry. An alias counts as one value: its content has lines elsewhere. */
function collectPlaces(node: ParsedNode | null, path: string, visit: (path: string, offset: number) => void): void {
  if (node === null || isAlias(node)) return
  const below = (key: string): string => (path === '' ? key : `${path}.${key}`)
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const keyPath = below(isScalar(key) ? shownKey(String(key.value)) : '?')
      visit(keyPath, (key as ParsedNode).range[0])
      collectPlaces(value as ParsedNode | null, keyPath, visit)
    }
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => {
      const itemPath = below(String(index))
      visit(itemPath, (item as ParsedNode).range[0])
      collectPlaces(item as ParsedNode, itemPath, visit)
    })
  }
}

/** Keys that are no plain word in quotes, so that an empty or hostile one can be seen and cannot steer a terminal. */
export const shownKey = (key: string): string => (/^[\w.-]+$/.test(key) ? key : JSON.stringify(key))

/** A key without a value (`nats:` with everything below it commented out) is not set. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [key, withoutNulls(child)]),
  )
}

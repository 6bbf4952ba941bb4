/** Turns what the schema refuses into lines that a person can act on: where, which key, what was expected, what came. */

import type { z } from 'zod'
import { type FileTree, shownKey } from './config-files.ts'
import { listOptions, type Option, optionKeys } from './config-options.ts'
import { CONFIG_FILES, type ConfigFile, type ConfigSchemas } from './config-schema.ts'

const RECEIVED_LENGTH_MAX = 80

type Issue = z.core.$ZodIssue

/** Collects lines such as `config/service.yaml:12 api.prot: unknown key; did you mean "port"?`. */
export class ConfigErrors {
  readonly lines: string[] = []
  readonly #schemas: ConfigSchemas
  readonly #options: ReadonlyMap<string, Option & { readonly file: ConfigFile }>

  constructor(schemas: ConfigSchemas) {
    this.#schemas = schemas
    this.#options = new Map(
      CONFIG_FILES.flatMap((file) => listOptions(schemas[file]).map((option) => [option.path, { ...option, file }])),
    )
  }

  /** Adds one line for each mistake in `file`, in the order of the file; those of the environment and the flags last. */
  add(file: ConfigFile, issues: readonly Issue[], part: FileTree): void {
    const found = new Map<string, { readonly place: string; readonly problem: string }>()
    for (const issue of issues) {
      const path = issue.path.join('.')
      if (issue.code === 'unrecognized_keys') {
        for (const key of issue.keys) {
          const keyPath = path === '' ? shownKey(key) : `${path}.${shownKey(key)}`
          const problem = `unknown key${this.#hint(file, path, key)}`
          found.set(keyPath, { place: placeNear(keyPath, part), problem })
        }
      } else if (!found.has(path)) {
        found.set(path, { place: placeNear(path, part), problem: this.#problem(issue, path) })
      }
    }
    const sorted = [...found].sort(([, a], [, b]) => lineOf(a.place) - lineOf(b.place))
    this.lines.push(...sorted.map(([path, { place, problem }]) => `${place} ${path}: ${problem}`))
  }

  #problem(issue: Issue, path: string): string {
    const option = this.#options.get(path) ?? this.#options.get(path.slice(0, path.lastIndexOf('.')))
    if (option === undefined) return `expected keys and values, received ${shown(issue.input)}`
    const { expected, secret } = option.facts
    const received = secret === undefined ? shown(issue.input) : 'a value that is not shown'
    if (issue.code === 'custom') return `${issue.message} (received ${received})`
    return `expected ${expected}, received ${received}`
  }

  #hint(file: ConfigFile, group: string, key: string): string {
    const near = nearest(key, optionKeys(this.#schemas[file], group))
    if (near !== undefined) return `; did you mean "${near}"?`
    const elsewhere = [...this.#options.values()].find(({ path }) => path === key || path.endsWith(`.${key}`))
    if (elsewhere === undefined) return ''
    return elsewhere.file === file
      ? `; did you mean "${elsewhere.path}"?`
      : `; "${elsewhere.path}" belongs into ${elsewhere.file}`
  }
}

/** Line of `config/service.yaml:12`; what was not written in a file comes last. */
function lineOf(place: string): number {
  const line = /:(\d+)$/.exec(place)?.[1]
  return line === undefined ? Number.POSITIVE_INFINITY : Number(line)
}

/** The place of `path`, or of the nearest group around it that has one. */
function placeNear(path: string, { name, places }: FileTree): string {
  for (let prefix = path; prefix !== ''; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf('.')))) {
    const place = places.get(prefix)
    if (place !== undefined) return place
  }
  return name
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > RECEIVED_LENGTH_MAX ? `${text.slice(0, RECEIVED_LENGTH_MAX)}…` : text
}

/** The word that was probably meant: at most a third of its letters differ. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(candidate.length / 3))) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Letters to insert, delete, replace or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 20) return Number.POSITIVE_INFINITY
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const at = (row: readonly number[], index: number): number => row[index] ?? 0
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, at(previous, j - 1) + change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforePrevious, j - 2) + 1)
      }
      current.push(cost)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length] ?? 0
}

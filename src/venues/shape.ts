/** The shape of a message: which fields it has and of what kind. Tells what a venue has added, left out or changed. Pure. */

/** `s`tring, `n`umber, `b`oolean, `null`, `o`bject, `a`rray. */
type Kind = 's' | 'n' | 'b' | 'null' | 'o' | 'a'

/** Path -> kinds: `data.p`, `data[].asks[][]`. */
type Seen = Map<string, Set<Kind>>

interface Field {
  readonly kinds: ReadonlySet<string>
  readonly isOptional: boolean
}

/** What a venue documents of one kind of message. */
export type Shape = ReadonlyMap<string, Field>

/** How messages differ from their shape; paths, sorted. */
export interface Drift {
  readonly missing: readonly string[]
  readonly unknown: readonly string[]
  /** `data.p: n instead of s`. */
  readonly changed: readonly string[]
}

/** A message itself. */
const MESSAGE: Field = { kinds: new Set(['o']), isOptional: false }

/** Bounds for what nobody promised to keep small. */
const DEPTH_MAX = 8
const ELEMENTS_MAX = 50
const PATHS_MAX = 500

/**
 * A shape from its text: fields by `path:kind`, separated by spaces. `|` between kinds: any of them; `?` behind: may be
 * absent. What contains a field need not be named. Fields of an array's elements stand behind `[]`.
 */
export function shape(text: string): Shape {
  const fields = new Map<string, Field>()
  for (const [, path = '', kinds = '', optional] of text.matchAll(/(\S+):([a-z|]+)(\?)?/g)) {
    fields.set(path, { kinds: new Set(kinds.split('|')), isOptional: optional === '?' })
    for (const { index, 0: mark } of path.matchAll(/\[\]|\./g)) {
      const container = path.slice(0, index)
      if (container !== '' && !fields.has(container))
        fields.set(container, { kinds: new Set([mark === '.' ? 'o' : 'a']), isOptional: optional === '?' })
    }
  }
  return fields
}

/** How these messages, all of one kind, differ from what is known of it. A field of only some of them is not missing. */
export function driftOf(known: Shape, messages: readonly unknown[]): Drift {
  const seen: Seen = new Map()
  for (const message of messages) walk(message, '', seen, 0)
  const missing = [...known].flatMap(([path, { isOptional }]) =>
    isOptional || path.endsWith('[]') || seen.has(path) || !isWithin(seen, path) ? [] : path,
  )
  const unknown: string[] = []
  const changed: string[] = []
  for (const [path, kinds] of seen) {
    const field = path === '' ? MESSAGE : known.get(path)
    if (field === undefined) {
      if (isKnown(known, parentOf(path))) unknown.push(path)
      continue
    }
    const others = [...kinds].filter((kind) => !field.kinds.has(kind))
    if (others.length > 0)
      changed.push(`${path || 'message'}: ${others.join('|')} instead of ${[...field.kinds].join('|')}`)
  }
  return { missing: topmost(missing).sort(), unknown: unknown.sort(), changed: changed.sort() }
}

export const hasDrift = ({ missing, unknown, changed }: Drift): boolean =>
  missing.length + unknown.length + changed.length > 0

function walk(value: unknown, path: string, seen: Seen, depth: number): void {
  const kind = kindOf(value)
  const kinds = seen.get(path) ?? new Set()
  if (seen.size >= PATHS_MAX && !seen.has(path)) return
  seen.set(path, kinds.add(kind))
  if (depth >= DEPTH_MAX) return
  if (Array.isArray(value)) for (const each of value.slice(0, ELEMENTS_MAX)) walk(each, `${path}[]`, seen, depth + 1)
  else if (kind === 'o')
    for (const [key, child] of Object.entries(value as object))
      walk(child, path === '' ? key : `${path}.${key}`, seen, depth + 1)
}

function kindOf(value: unknown): Kind {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a'
  if (typeof value === 'object') return 'o'
  return typeof value === 'string' ? 's' : typeof value === 'number' ? 'n' : 'b'
}

/** Only what is not within another missing one. */
const topmost = (paths: readonly string[]): string[] =>
  paths.filter((path) => !paths.some((other) => path.startsWith(`${other}.`) || path.startsWith(`${other}[]`)))

/** Was there an object that could have had the field? */
const isWithin = (seen: Seen, path: string): boolean => seen.get(parentOf(path))?.has('o') === true

const isKnown = (known: Shape, path: string): boolean => path === '' || known.has(path)

/** `data.p` -> `data`; `data[]` -> `data`; `e` -> the message itself. */
function parentOf(path: string): string {
  if (path.endsWith('[]')) return path.slice(0, -2)
  return path.slice(0, Math.max(0, path.lastIndexOf('.')))
}

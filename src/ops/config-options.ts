/** The kinds of option that the configuration is made of. Each knows what it expects, in words, for errors and documentation. */

import { z } from 'zod'
import { isPrivateAddress } from '../platform/addresses.ts'

/** What a person needs to know of one option. */
export interface OptionFacts {
  readonly about: string
  /** Completes "expected …". */
  readonly expected: string
  /** `credentials`: only the user and password within a URL are hidden. */
  readonly secret?: 'whole' | 'credentials'
}

const facts = z.registry<OptionFacts>()

/** The facts of one option; `undefined` for a group of options. */
export const optionFacts = (schema: z.ZodType): OptionFacts | undefined => facts.get(schema)

/** A group of options that may be left out as a whole. */
export const group = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).prefault({} as never)

/** `true` or `false`. */
export const toggle = (preset: boolean, about: string) =>
  z.boolean().default(preset).register(facts, { about, expected: 'true or false' })

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number, preset: number, about: string) {
  const expected = `a whole number from ${min} to ${max}`
  return z.int().min(min).max(max).default(preset).register(facts, { about, expected })
}

/** One word of a list, in any case; yielded as the list writes it. */
export function choice<const Words extends readonly [string, ...string[]]>(
  words: Words,
  preset: Words[number],
  about: string,
) {
  const asWritten = (value: unknown): unknown =>
    typeof value === 'string' ? (words.find((word) => word.toLowerCase() === value.toLowerCase()) ?? value) : value
  const expected = words.length === 1 ? `the word ${words[0]}` : `one of ${words.join(', ')}`
  return z
    .preprocess(asWritten, z.enum(words as readonly string[] as [Words[number], ...Words[number][]]))
    .default(preset as never)
    .register(facts, { about, expected })
}

/** Text of 1 to `lengthMax` characters, none of them a control character. */
const text = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
    .regex(/^[^\u0000-\u001f\u007f]*$/)

/** A path or a name. */
export const name = (preset: string, about: string) =>
  text(1024).default(preset).register(facts, { about, expected: 'text of 1 to 1024 characters' })

/** What a name must look like. */
export interface Shape {
  readonly pattern: RegExp
  /** Completes "expected …". */
  readonly expected: string
}

/** A name that something else must understand. */
export const shapedName = ({ pattern, expected }: Shape, preset: string, about: string) =>
  text(256).regex(pattern).default(preset).register(facts, { about, expected })

/** A path or a name that may be left out. */
export const optionalName = (about: string) =>
  text(1024).optional().register(facts, { about, expected: 'text of 1 to 1024 characters' })

/** A secret that may be left out; never printed. */
export const optionalSecret = (about: string) =>
  text(1024).min(8).optional().register(facts, { about, expected: 'text of 8 to 1024 characters', secret: 'whole' })

/** A password that others have chosen, of any length; never printed. */
export const optionalPassword = (about: string) =>
  text(1024).optional().register(facts, { about, expected: 'text of 1 to 1024 characters', secret: 'whole' })

/** What the entries of a list look like. */
export interface WordRule {
  /** In the plural: `symbols`. */
  readonly noun: string
  readonly pattern: RegExp
}

/** A list of words, none of them twice. */
export function words(rule: WordRule, countMin: number, countMax: number, preset: readonly string[], about: string) {
  return z
    .array(z.string().max(256).regex(rule.pattern))
    .min(countMin)
    .max(countMax)
    .superRefine((list, context) => {
      const repeated = list.find((item, index) => list.indexOf(item) !== index)
      if (repeated !== undefined) context.addIssue(`${JSON.stringify(repeated)} is listed twice`)
    })
    .default([...preset])
    .register(facts, { about, expected: `a list of ${countMin} to ${countMax} ${rule.noun}` })
}

/** What a URL option accepts. */
export interface UrlRule {
  /** Without the colon: `wss`, `ws`. */
  readonly schemes: readonly string[]
  /** Of `schemes`, those that need a loopback host. */
  readonly loopbackOnly: readonly string[]
  /** Private addresses that may be used all the same; absent: all may. */
  readonly privateHosts?: readonly string[]
  readonly allowCredentials: boolean
}

/** One URL, or several that are tried in turn; always yielded as a list, without trailing slashes. */
export function urls(rule: UrlRule, preset: readonly string[], about: string) {
  const one = z.string().max(2048).superRefine(report(rule)).transform(withoutTrailingSlash)
  const expected = `a URL (${rule.schemes.join(', ')}) or a list of 1 to 8 of them`
  return z
    .preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(one).min(1).max(8))
    .default([...preset])
    .register(facts, { about, expected })
}

/** One URL that may be left out; a user and password within it are never printed. */
export function optionalUrl(rule: UrlRule, about: string) {
  const expected = `a URL (${rule.schemes.join(', ')})`
  return z
    .string()
    .max(2048)
    .superRefine(report(rule))
    .optional()
    .register(facts, { about, expected, secret: 'credentials' })
}

/** `https://example.org/` and `https://example.org` name the same base. */
const withoutTrailingSlash = (url: string): string => url.replace(/\/+$/, '')

const report = (rule: UrlRule) => (url: string, context: z.RefinementCtx<string>) => {
  const problem = urlProblem(url, rule)
  if (problem !== undefined) context.addIssue(problem)
}

/** Why `url` cannot be used, in words; `undefined` when it can. */
function urlProblem(url: string, rule: UrlRule): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || parsed.hostname === '') return `expected a URL such as ${rule.schemes[0]}://example.org`
  const scheme = parsed.protocol.slice(0, -1)
  if (!rule.schemes.includes(scheme)) return `expected a URL that starts with ${rule.schemes.join(':// or ')}://`
  if (rule.loopbackOnly.includes(scheme) && !isLoopback(parsed.hostname)) {
    return `${scheme}:// is not encrypted and allowed for this machine only (localhost); set allow_insecure_endpoints: true to use it anyway`
  }
  const { privateHosts } = rule
  if (privateHosts !== undefined && isPrivateAddress(parsed.hostname) && !privateHosts.includes(parsed.hostname)) {
    return `${parsed.hostname} is an address of a private network; name it in allow_private_hosts to use it anyway`
  }
  if (!rule.allowCredentials && (parsed.username !== '' || parsed.password !== '')) {
    return 'a user and password do not belong into this URL'
  }
  if (parsed.search !== '' || parsed.hash !== '') return 'expected a URL without ? and #'
  return undefined
}

/** Is `hostname`, as `URL` writes it, this machine? */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)

/** One option and its key path. */
export interface Option {
  readonly path: string
  readonly facts: OptionFacts
}

/** Every option below `schema`, in the order of the schema. */
export function listOptions(schema: z.ZodType, path = ''): readonly Option[] {
  const own = facts.get(schema)
  if (own !== undefined) return [{ path, facts: own }]
  return Object.entries(shapeOf(schema)).flatMap(([key, child]) =>
    listOptions(child, path === '' ? key : `${path}.${key}`),
  )
}

/** The keys that the group at `path` knows. */
export function optionKeys(schema: z.ZodType, path: string): readonly string[] {
  let group = schema
  for (const key of path === '' ? [] : path.split('.')) {
    const child = shapeOf(group)[key]
    if (child === undefined) return []
    group = child
  }
  return Object.keys(shapeOf(group))
}

function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : schema
  return inner instanceof z.ZodObject ? inner.shape : {}
}

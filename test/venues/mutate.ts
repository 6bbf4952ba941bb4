import type { Random } from '../../src/platform/platform.ts'
import { bytes } from './fixtures.ts'

/** What may stand where something else stood. */
const ODD_VALUES = [
  ...[
    'null',
    'true',
    '""',
    '[]',
    '{}',
    '0',
    '-1',
    '-0',
    '"-1"',
    '"0"',
    '1.5',
    '1e999',
    '-1e999',
    '1e-400',
    '1e21',
    '"1e5"',
  ],
  ...[
    'NaN',
    'Infinity',
    '"NaN"',
    '"Infinity"',
    '"0x10"',
    '"٣"',
    '"１"',
    '".5"',
    '"5."',
    '" 1"',
    '"\\u0000"',
    '"\\ud800"',
  ],
  ...['9007199254740993', '18446744073709551616', `"${'9'.repeat(400)}"`, '9'.repeat(400), `0.${'0'.repeat(400)}1`],
  ...['"__proto__"', '"constructor"', '"toString"', '{"__proto__":{"x":1}}', '{"toString":null,"valueOf":null}'],
  ...[
    '[[]]',
    '[["1"]]',
    '[["1","2","3","4","5"]]',
    '[[1,2]]',
    '"snapshot"',
    '"update"',
    '"change"',
    '"delete"',
    '"BTC:USDT"',
  ],
  `${'['.repeat(2_000)}${']'.repeat(2_000)}`,
  `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`,
]

/** Texts, keys among them, numbers and words of a JSON document. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g
const MEMBER = /"[A-Za-z_]+":(?:"[^"]*"|-?\d+(?:\.\d+)?)/g

type Mutation = (text: string, random: Random) => string | Uint8Array

const below = (random: Random, count: number): number => Math.floor(random() * count)
const pick = <Item>(random: Random, items: readonly Item[]): Item => items[below(random, items.length)] as Item

const cut = (text: string, at: number, length: number, insert = ''): string =>
  text.slice(0, at) + insert + text.slice(at + length)

const bitFlip: Mutation = (text, random) => {
  const frame = bytes(text)
  const at = below(random, frame.length)
  frame[at] = (frame[at] ?? 0) ^ (1 << below(random, 8))
  return frame
}

const byteDeletion: Mutation = (text, random) => cut(text, below(random, text.length), 1 + below(random, 3))

const truncation: Mutation = (text, random) => text.slice(0, below(random, text.length))

const token: Mutation = (text, random) => {
  const found = pick(random, [...text.matchAll(TOKEN)])
  return found === undefined ? text : cut(text, found.index, found[0].length, pick(random, ODD_VALUES))
}

/** Two members of the document change places, or one stands twice with another's value. */
const duplicateKey: Mutation = (text, random) => {
  const members = [...text.matchAll(MEMBER)]
  const [to, from] = [pick(random, members), pick(random, members)]
  if (to === undefined || from === undefined) return text
  const key = to[0].slice(0, to[0].indexOf(':') + 1)
  const value = from[0].slice(from[0].indexOf(':') + 1)
  return cut(text, to.index, 0, random() < 0.5 ? `${from[0]},` : `${key}${value},`)
}

const swapTypes: Mutation = (text, random) => {
  const found = pick(random, [...text.matchAll(TOKEN)])
  if (found === undefined) return text
  const [value] = found
  return cut(text, found.index, value.length, value.startsWith('"') ? value.slice(1, -1) : `"${value}"`)
}

const protoKey: Mutation = (text, random) => {
  const opening = pick(random, [...text.matchAll(/\{/g)])
  return opening === undefined ? text : cut(text, opening.index + 1, 0, '"__proto__":{"x":1,"e":"trade","s":"X"},')
}

const digit: Mutation = (text, random) => {
  const found = pick(random, [...text.matchAll(/\d/g)])
  return found === undefined ? text : cut(text, found.index, 1, String(below(random, 10)))
}

const MUTATIONS = [bitFlip, byteDeletion, truncation, token, token, token, duplicateKey, swapTypes, protoKey, digit]

/** A frame that was damaged, or made up to do damage. */
export function mutate(text: string, random: Random): Uint8Array {
  const mutated = pick(random, MUTATIONS)(text, random)
  return typeof mutated === 'string' ? bytes(mutated) : mutated
}

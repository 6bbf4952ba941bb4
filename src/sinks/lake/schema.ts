/** What the columns are called in Parquet, and how each is written. */

import type { SchemaElement } from 'hyparquet-writer'
import { type Column, EXACT, type Kind } from './columns.ts'
import { DECIMAL_BYTES, DECIMAL_DIGITS, DECIMAL_SCALE } from './decimal.ts'

/** A column of plain values, of which a side of a book has two. */
export interface Leaf {
  /** From the root to the leaf. */
  readonly path: readonly SchemaElement[]
  readonly kind: Exclude<Kind, 'levels'>
  /** The definition level of a value that is there; 0: none is ever absent. */
  readonly definitionMax: number
}

export interface LakeSchema {
  readonly columns: readonly Column[]
  readonly elements: SchemaElement[]
  /** In the order of the elements. The last one is {@link EXACT}. */
  readonly leaves: readonly Leaf[]
}

export function lakeSchema(columns: readonly Column[]): LakeSchema {
  const all = [...columns, { field: EXACT, name: EXACT, kind: 'text', isOptional: true } as const]
  const root: SchemaElement = { name: 'event', num_children: all.length }
  const parts = all.map((column) => (column.kind === 'levels' ? levelsOf(root, column) : flat(root, column)))
  return {
    columns,
    elements: [root, ...parts.flatMap(({ elements }) => elements)],
    leaves: parts.flatMap(({ leaves }) => leaves),
  }
}

interface Part {
  readonly elements: readonly SchemaElement[]
  readonly leaves: readonly Leaf[]
}

function flat(root: SchemaElement, { name, kind, isOptional }: Column): Part {
  if (kind === 'levels') throw new TypeError(`${name} is no plain column`)
  // A number that does not fit its column is left out of it.
  const mayBeAbsent = isOptional || kind === 'decimal'
  const element = plain(name, kind, mayBeAbsent ? 'OPTIONAL' : 'REQUIRED')
  return { elements: [element], leaves: [{ path: [root, element], kind, definitionMax: mayBeAbsent ? 1 : 0 }] }
}

/** `LIST<STRUCT<price, quantity>>`; absent as a whole when one of its numbers does not fit. */
function levelsOf(root: SchemaElement, { name }: Column): Part {
  const list: SchemaElement[] = [
    { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
  ]
  const ends = [plain('price', 'decimal', 'REQUIRED'), plain('quantity', 'decimal', 'REQUIRED')]
  return {
    elements: [...list, ...ends],
    leaves: ends.map((end) => ({ path: [root, ...list, end], kind: 'decimal', definitionMax: 2 })),
  }
}

type Repetition = NonNullable<SchemaElement['repetition_type']>

function plain(name: string, kind: Leaf['kind'], repetition_type: Repetition): SchemaElement {
  const base = { name, repetition_type }
  switch (kind) {
    case 'word':
    case 'text':
      return { ...base, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }
    case 'decimal':
      return {
        ...base,
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: DECIMAL_BYTES,
        converted_type: 'DECIMAL',
        precision: DECIMAL_DIGITS,
        scale: DECIMAL_SCALE,
        logical_type: { type: 'DECIMAL', precision: DECIMAL_DIGITS, scale: DECIMAL_SCALE },
      }
    case 'time':
      return {
        ...base,
        type: 'INT64',
        converted_type: 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      }
    case 'integer':
      return { ...base, type: 'INT64' }
    case 'flag':
      return { ...base, type: 'BOOLEAN' }
  }
}

/**
 * Writes one column of one row group, page by page, so that others can go on in between. The library's own loop
 * (hyparquet-writer, column.js) writes a whole column at a stretch; pages and their encodings are the library's.
 * Format: https://parquet.apache.org/docs/file-format/
 */

import type { ByteWriter, SchemaElement } from 'hyparquet-writer'
import { writeDataPageV2 } from 'hyparquet-writer/src/datapage.js'
import { writeDictionaryPage } from 'hyparquet-writer/src/dictionary.js'
import type { ParquetWriter } from 'hyparquet-writer/src/parquet-writer.js'
import { CODEC, COMPRESSORS } from './codec.ts'
import { DECIMAL_BYTES, decimalRange } from './decimal.ts'
import type { Pace } from './pace.ts'
import type { LeafData } from './row-group.ts'
import type { Leaf } from './schema.ts'

/** Values of one page, and of whatever is done without a break: some milliseconds of work. */
const PAGE_VALUES = 4_096
/** A dictionary is one page, written at a stretch. */
const DICTIONARY_VALUES_MAX = 16_384

type ColumnEncoder = Parameters<typeof writeDictionaryPage>[1]
type Encoding = Parameters<typeof writeDataPageV2>[0]['encoding']
export type Chunk = ParquetWriter['row_groups'][number]['columns'][number]
type Metadata = NonNullable<Chunk['meta_data']>
type Statistics = NonNullable<Metadata['statistics']>

/** The values as the pages of an encoding take them. */
interface Encoded {
  readonly values: readonly unknown[]
  readonly encoding: Encoding
  readonly dictionary?: readonly unknown[]
}

export async function writeChunk(writer: ByteWriter, leaf: Leaf, data: LeafData, pace: Pace): Promise<Chunk> {
  const column = columnEncoder(leaf)
  const offset = writer.offset
  const { values, encoding, dictionary } = await encode(leaf, data.values, pace)
  let uncompressedBytes = dictionary ? writeDictionaryPage(writer, column, [...dictionary]) : 0
  const pagesOffset = writer.offset
  let range: Range | undefined
  for (const { definitions, repetitions, from, to } of pages(leaf, data)) {
    if (leaf.definitionMax <= 1) range = union(range, rangeOf(leaf, data.values.slice(from, to)))
    const pageValues = values.slice(from, to)
    uncompressedBytes += writeDataPageV2({
      writer,
      column,
      encoding,
      pageData: {
        values: encoding === 'DELTA_BYTE_ARRAY' ? pageValues.map(utf8) : pageValues,
        definitionLevels: definitions,
        // Rows are counted by these; without them, by the values, which lack what is absent.
        repetitionLevels: repetitions.length > 0 ? repetitions : new Array<number>(definitions.length).fill(0),
        maxDefinitionLevel: leaf.definitionMax,
      },
    })
    if (pace.isDue) await pace.rest()
  }
  const entries = Math.max(data.definitions.length, data.values.length)
  return {
    file_offset: BigInt(offset),
    meta_data: {
      type: column.element.type as Metadata['type'],
      encodings: dictionary ? ['PLAIN', encoding] : [encoding],
      path_in_schema: leaf.path.slice(1).map(({ name }) => name),
      codec: CODEC,
      num_values: BigInt(entries),
      total_compressed_size: BigInt(writer.offset - offset),
      total_uncompressed_size: BigInt(uncompressedBytes),
      data_page_offset: BigInt(pagesOffset),
      ...(dictionary && { dictionary_page_offset: BigInt(offset) }),
      ...(leaf.definitionMax <= 1 && { statistics: statisticsOf(range, entries - data.values.length) }),
    },
  }
}

function columnEncoder({ path }: Leaf): ColumnEncoder {
  const element = path.at(-1) as SchemaElement
  return {
    columnName: path.map(({ name }) => name).join('.'),
    element,
    schemaPath: [...path],
    codec: CODEC,
    compressors: COMPRESSORS,
    stats: false,
    pageSize: 0,
    columnIndex: false,
    offsetIndex: false,
  }
}

/** Where each page begins and ends, cut by the values that are there. A row is never torn. */
function* pages({ definitionMax }: Leaf, { values, definitions, repetitions }: LeafData) {
  const entries = Math.max(definitions.length, values.length)
  let from = 0
  for (let start = 0; start < entries; ) {
    let end = start
    let to = from
    for (; end < entries; end++) {
      const isFull = to - from >= PAGE_VALUES && to < values.length
      if (isFull && repetitions[end] !== 1) break
      if (definitionMax === 0 || definitions[end] === definitionMax) to++
    }
    const levels = { definitions: definitions.slice(start, end), repetitions: repetitions.slice(start, end) }
    yield { ...levels, from, to }
    from = to
    start = end
  }
}

async function encode({ kind }: Leaf, values: readonly unknown[], pace: Pace): Promise<Encoded> {
  if (values.length === 0) return { values, encoding: 'PLAIN' }
  switch (kind) {
    case 'word':
      return (await indexed(values, pace)) ?? { values, encoding: 'DELTA_BYTE_ARRAY' }
    case 'decimal': {
      const result = await indexed(values, pace)
      return result && isWorthIt(result) ? result : { values, encoding: 'PLAIN' }
    }
    case 'text':
      return { values, encoding: 'DELTA_BYTE_ARRAY' }
    case 'time':
    case 'integer':
      return { values, encoding: 'DELTA_BINARY_PACKED' }
    case 'flag':
      return { values, encoding: 'PLAIN' }
  }
}

/** `undefined`: too many different values. */
async function indexed(values: readonly unknown[], pace: Pace): Promise<Encoded | undefined> {
  const known = new Map<unknown, number>()
  const indexes = new Array<number>(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    let index = known.get(value)
    if (index === undefined) {
      index = known.size
      if (index === DICTIONARY_VALUES_MAX) return undefined
      known.set(value, index)
    }
    indexes[i] = index
    if (i % PAGE_VALUES === 0 && pace.isDue) await pace.rest()
  }
  const dictionary = [...known.keys()].map((value) => (typeof value === 'string' ? utf8(value) : value))
  return { values: indexes, encoding: 'RLE_DICTIONARY', dictionary }
}

/** Does the dictionary halve the decimals at least? */
function isWorthIt({ values, dictionary = [] }: Encoded): boolean {
  const indexBytes = (values.length * Math.ceil(Math.log2(dictionary.length + 1))) / 8
  return 2 * (dictionary.length * DECIMAL_BYTES + indexBytes) <= values.length * DECIMAL_BYTES
}

const utf8 = (text: unknown): Buffer => Buffer.from(text as string)

type Value = string | bigint | boolean

interface Range {
  readonly min: Value
  readonly max: Value
}

function rangeOf({ kind }: Leaf, values: readonly unknown[]): Range | undefined {
  if (kind === 'decimal') return decimalRange(values as Uint8Array[])
  let min = values[0] as Value | undefined
  let max = min
  if (min === undefined || max === undefined) return undefined
  for (const value of values as readonly Value[]) {
    if (value < min) min = value
    else if (value > max) max = value
  }
  return { min, max }
}

function union(a: Range | undefined, b: Range | undefined): Range | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const [low, high] = [a.min < b.min ? a : b, a.max > b.max ? a : b]
  return { min: low.min, max: high.max }
}

/** By these readers pass over row groups that cannot hold what they look for. */
function statisticsOf(range: Range | undefined, nullCount: number): Statistics {
  const null_count = BigInt(nullCount)
  // Parquet orders text by its UTF-8 bytes: that is the order here as long as a limit is ASCII.
  const isKnown = range !== undefined && isAscii(range.min) && isAscii(range.max)
  return isKnown ? { null_count, min_value: range.min, max_value: range.max } : { null_count }
}

const isAscii = (value: Value): boolean => typeof value !== 'string' || Buffer.byteLength(value) === value.length

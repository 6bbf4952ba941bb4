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

/** Values of one page: some milliseconds of work. */
const PAGE_VALUES = 8_192

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
  const { values, encoding, dictionary } = encode(leaf, data)
  let uncompressedBytes = dictionary ? writeDictionaryPage(writer, column, [...dictionary]) : 0
  const pagesOffset = writer.offset
  for (const { definitions, repetitions, from, to } of pages(leaf, data)) {
    const pageValues = values.slice(from, to)
    uncompressedBytes += writeDataPageV2({
      writer,
      column,
      encoding,
      pageData: {
        values: leaf.kind === 'text' ? pageValues.map((text) => Buffer.from(text as string)) : pageValues,
        definitionLevels: definitions,
        repetitionLevels: repetitions,
        maxDefinitionLevel: leaf.definitionMax,
      },
    })
    if (pace.isDue) await pace.rest()
  }
  const entries = Math.max(data.definitions.length, data.values.length)
  const statistics = statisticsOf(leaf, data.values, dictionary, entries - data.values.length)
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
      ...(statistics && { statistics }),
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

/** Where each page begins and ends. A row is never torn. */
function* pages({ definitionMax }: Leaf, { values, definitions, repetitions }: LeafData) {
  const entries = Math.max(definitions.length, values.length)
  let from = 0
  for (let start = 0; start < entries; ) {
    let end = Math.min(start + PAGE_VALUES, entries)
    while (end < entries && repetitions[end] === 1) end++
    let to = from
    if (definitionMax === 0) to = end
    else for (let i = start; i < end; i++) if (definitions[i] === definitionMax) to++
    yield { definitions: definitions.slice(start, end), repetitions: repetitions.slice(start, end), from, to }
    from = to
    start = end
  }
}

function encode({ kind }: Leaf, { values }: LeafData): Encoded {
  switch (kind) {
    case 'word':
      return indexed(values, new Map())
    case 'decimal': {
      const known = new Map<unknown, number>()
      const result = indexed(values, known)
      const indexBytes = (values.length * Math.ceil(Math.log2(known.size + 1))) / 8
      const isWorthIt = 2 * (known.size * DECIMAL_BYTES + indexBytes) < values.length * DECIMAL_BYTES
      return isWorthIt ? result : { values, encoding: 'PLAIN' }
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

function indexed(values: readonly unknown[], known: Map<unknown, number>): Encoded {
  const indexes = new Array<number>(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    let index = known.get(value)
    if (index === undefined) {
      index = known.size
      known.set(value, index)
    }
    indexes[i] = index
  }
  if (values.length === 0) return { values, encoding: 'PLAIN' }
  const dictionary = [...known.keys()].map((value) => (typeof value === 'string' ? Buffer.from(value) : value))
  return { values: indexes, encoding: 'RLE_DICTIONARY', dictionary }
}

/** By these readers pass over row groups that cannot hold what they look for. */
function statisticsOf(
  { kind, definitionMax }: Leaf,
  values: readonly unknown[],
  dictionary: readonly unknown[] | undefined,
  nullCount: number,
): Statistics | undefined {
  if (definitionMax > 1) return undefined
  const null_count = BigInt(nullCount)
  const range = kind === 'decimal' ? decimalRange((dictionary ?? values) as Uint8Array[]) : rangeOf(values)
  return range === undefined ? { null_count } : { null_count, min_value: range.min, max_value: range.max }
}

type Plain = string | bigint | boolean

/** In the order of Parquet, which for text is that of its UTF-8 bytes: theirs is this one where a limit is ASCII. */
function rangeOf(values: readonly unknown[]): { min: Plain; max: Plain } | undefined {
  let min = values[0] as Plain | undefined
  let max = min
  if (min === undefined || max === undefined) return undefined
  for (const value of values as readonly Plain[]) {
    if (value < min) min = value
    else if (value > max) max = value
  }
  return isAscii(min) && isAscii(max) ? { min, max } : undefined
}

const isAscii = (value: Plain): boolean => typeof value !== 'string' || Buffer.byteLength(value) === value.length

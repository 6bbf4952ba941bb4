/** A Parquet file that is written row group by row group. */

import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { DataFile } from '../../platform/platform.ts'
import { type Chunk, writeChunk } from './chunk.ts'
import { CODEC } from './codec.ts'
import type { Pace } from './pace.ts'
import type { LeafData, RowGroup } from './row-group.ts'
import type { LakeSchema, Leaf } from './schema.ts'

const BUFFER_BYTES = 1024 * 1024
/** Longer text is cut in statistics; ids are shorter. */
const STATISTICS_BYTES_MAX = 128

export class ParquetFile {
  rows = 0
  readonly #file: DataFile
  readonly #schema: LakeSchema
  readonly #pace: Pace
  readonly #buffer = new ByteWriter(BUFFER_BYTES)
  readonly #writer: ParquetWriter

  /** `facts` are written into its end, for people and tools that ask where it comes from. */
  constructor(file: DataFile, schema: LakeSchema, facts: Readonly<Record<string, string>>, pace: Pace) {
    this.#file = file
    this.#schema = schema
    this.#pace = pace
    this.#writer = new ParquetWriter({
      writer: this.#buffer,
      schema: schema.elements,
      codec: CODEC,
      statisticsTruncateLength: STATISTICS_BYTES_MAX,
      kvMetadata: Object.entries(facts).map(([key, value]) => ({ key, value })),
      createdBy: 'marketprism',
    })
  }

  get bytes(): number {
    return this.#buffer.offset
  }

  async write(group: RowGroup): Promise<void> {
    const offset = this.#buffer.offset
    const columns: Chunk[] = []
    for (const [index, leaf] of this.#schema.leaves.entries()) {
      columns.push(await writeChunk(this.#buffer, leaf as Leaf, group.leaves[index] as LeafData, this.#pace))
    }
    const num_rows = BigInt(group.rows)
    this.#writer.row_groups.push({
      columns,
      num_rows,
      total_byte_size: columns.reduce((sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n), 0n),
      total_compressed_size: BigInt(this.#buffer.offset - offset),
      // Rows are sorted by the first column, the symbol.
      sorting_columns: [{ column_idx: 0, descending: false, nulls_first: false }],
    })
    this.#writer.num_rows += num_rows
    this.rows += group.rows
    await this.#flush()
  }

  /** All of it is on disk when it resolves. */
  async finish(): Promise<void> {
    await this.#writer.finish()
    await this.#flush()
    await this.#file.sync()
  }

  async #flush(): Promise<void> {
    await this.#file.append([this.#buffer.getBytes()])
    this.#buffer.index = 0
  }
}

/** Rows that become columns: the events of one row group, checked field by field. */

import type { Column } from './columns.ts'
import type { Decimals } from './decimal.ts'
import type { LakeSchema } from './schema.ts'

/** What a column holds of its rows: the values that are there, and for each row (or level) whether one is. */
export interface LeafData {
  readonly values: unknown[]
  /** Definition levels; empty for columns in which no value may be absent. */
  readonly definitions: number[]
  /** Repetition levels; empty for all but books. */
  readonly repetitions: number[]
}

/** One side of a book. */
interface Side {
  readonly prices: Uint8Array[]
  readonly quantities: Uint8Array[]
}

type Cell = string | bigint | boolean | Uint8Array | Side | undefined

const leafData = (): LeafData => ({ values: [], definitions: [], repetitions: [] })

export class RowGroup {
  rows = 0
  readonly leaves: readonly LeafData[]
  readonly #schema: LakeSchema
  readonly #decimals: Decimals
  /** The cells of one row: a row that is refused leaves nothing behind. */
  readonly #cells: Cell[]
  #isExact = true

  constructor(schema: LakeSchema, decimals: Decimals) {
    this.#schema = schema
    this.#decimals = decimals
    this.leaves = schema.leaves.map(leafData)
    this.#cells = new Array(schema.columns.length)
  }

  /** Errors: throws a TypeError that says which field is not what it must be. */
  add(event: Readonly<Record<string, unknown>>, text: () => string): void {
    const { columns, leaves } = this.#schema
    this.#isExact = true
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as Column
      this.#cells[i] = this.#cell(column, event[column.field])
    }
    let at = 0
    for (const cell of this.#cells) {
      if (leaves[at]?.definitionMax === 2) {
        this.#pushSide(at, cell as Side | undefined)
        at += 2
      } else this.#push(at++, cell)
    }
    this.#push(at, this.#isExact ? undefined : text())
    this.rows++
  }

  #push(at: number, cell: Cell): void {
    const { values, definitions } = this.leaves[at] as LeafData
    if (this.#schema.leaves[at]?.definitionMax !== 0) definitions.push(cell === undefined ? 0 : 1)
    if (cell !== undefined) values.push(cell)
  }

  #pushSide(at: number, side: Side | undefined): void {
    const prices = this.leaves[at] as LeafData
    const quantities = this.leaves[at + 1] as LeafData
    const count = side?.prices.length ?? 0
    for (let i = 0; i < Math.max(count, 1); i++) {
      const definition = count > 0 ? 2 : side === undefined ? 0 : 1
      const repetition = i === 0 ? 0 : 1
      prices.definitions.push(definition)
      prices.repetitions.push(repetition)
      quantities.definitions.push(definition)
      quantities.repetitions.push(repetition)
      if (side === undefined || count === 0) continue
      prices.values.push(side.prices[i])
      quantities.values.push(side.quantities[i])
    }
  }

  #cell(column: Column, value: unknown): Cell {
    if (value === undefined && column.isOptional) return undefined
    switch (column.kind) {
      case 'word':
      case 'text':
        if (typeof value === 'string') return value
        throw unexpected(column, 'text', value)
      case 'decimal':
        return this.#decimal(column, value)
      case 'time':
      case 'integer':
        if (Number.isSafeInteger(value)) return BigInt(value as number)
        throw unexpected(column, column.kind === 'time' ? 'whole microseconds' : 'a whole number', value)
      case 'flag':
        if (typeof value === 'boolean') return value
        throw unexpected(column, 'true or false', value)
      case 'levels':
        return this.#side(column, value)
    }
  }

  #decimal(column: Column, value: unknown): Uint8Array | undefined {
    try {
      const bytes = this.#decimals.bytes(value)
      if (bytes === undefined) this.#isExact = false
      return bytes
    } catch {
      throw unexpected(column, 'a decimal as text', value)
    }
  }

  #side(column: Column, value: unknown): Side | undefined {
    if (!Array.isArray(value)) throw unexpected(column, 'a list of levels', value)
    const side: Side = { prices: [], quantities: [] }
    let doesFit = true
    for (const level of value) {
      if (!Array.isArray(level) || level.length !== 2) throw unexpected(column, 'levels of price and quantity', level)
      const price = this.#decimal(column, level[0])
      const quantity = this.#decimal(column, level[1])
      if (price === undefined || quantity === undefined) doesFit = false
      else {
        side.prices.push(price)
        side.quantities.push(quantity)
      }
    }
    return doesFit ? side : undefined
  }
}

const SHOWN_CHARACTERS_MAX = 60

function unexpected({ field }: Column, expected: string, value: unknown): TypeError {
  const came = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, SHOWN_CHARACTERS_MAX)
  return new TypeError(`${field}: expected ${expected}, got ${came}`)
}

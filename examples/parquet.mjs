// One line a symbol of the trades in the lake: node examples/parquet.mjs [data/lake]
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'

const [lake = 'data/lake'] = process.argv.slice(2)
// ZSTD is there from Node 22.15 on; where it is not, the collector writes GZIP.
const compressors = { GZIP: zlib.gunzipSync, ZSTD: zlib.zstdDecompressSync }
const columns = ['venue', 'symbol', 'price', 'quantity', 'exchange_time']

const rounded = (number) => Number(number.toPrecision(12))

if (!existsSync(join(lake, 'type=trade'))) {
  console.error(
    `no trades in ${lake}: is it the folder of a lake, and has the collector written a batch (lake.batch_seconds)?`,
  )
  process.exit(1)
}
const paths = readdirSync(join(lake, 'type=trade'), { recursive: true }).filter((path) => path.endsWith('.parquet'))
const summaries = new Map()
for (const path of paths) {
  const bytes = readFileSync(join(lake, 'type=trade', path))
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  // hyparquet makes numbers of decimals, which is enough here. DuckDB, Polars and pyarrow read every digit: docs/LAKE.md.
  for (const { venue, symbol, price, quantity } of await parquetReadObjects({ file, columns, compressors })) {
    const key = `${venue} ${symbol}`
    const { trades = 0, low = price, high = price, volume = 0 } = summaries.get(key) ?? {}
    summaries.set(key, {
      trades: trades + 1,
      low: rounded(Math.min(low, price)),
      high: rounded(Math.max(high, price)),
      volume: rounded(volume + quantity),
    })
  }
}
console.log(`${paths.length} files`)
console.table(Object.fromEntries([...summaries].sort(([a], [b]) => (a < b ? -1 : 1))))

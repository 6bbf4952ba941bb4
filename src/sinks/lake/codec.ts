/** How pages are compressed: by zstd where this Node has it, else by gzip. Readers take both. */

import * as zlib from 'node:zlib'

/** Higher levels cost several times as much and save a few percent of such data. */
const GZIP_LEVEL = 3

type Compress = (bytes: Uint8Array) => Uint8Array

/** In Node from 22.15 on. */
const { zstdCompressSync } = zlib as { zstdCompressSync?: Compress }

export const CODEC = zstdCompressSync === undefined ? 'GZIP' : 'ZSTD'

const compress: Compress = zstdCompressSync ?? ((bytes) => zlib.gzipSync(bytes, { level: GZIP_LEVEL }))

export const COMPRESSORS = { [CODEC]: compress }

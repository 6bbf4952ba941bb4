/** What the reader in the tests uncompresses with. */

import * as zlib from 'node:zlib'

const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array }

export const inflate = (bytes: Uint8Array): Uint8Array => (zstdDecompressSync ?? zlib.gunzipSync)(bytes)

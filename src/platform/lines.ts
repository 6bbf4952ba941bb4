import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** First two bytes of gzip (RFC 1952). */
const GZIP = [0x1f, 0x8b]

/**
 * The lines of a file, or of standard input for `-`; gzip is recognised by its first bytes.
 * Errors: rejects with the file system's or the decompressor's error.
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  const source: Readable = path === '-' ? process.stdin : createReadStream(path)
  const first = await firstChunk(source)
  if (first === undefined) return
  source.unshift(first)
  const isGzip = first[0] === GZIP[0] && first[1] === GZIP[1]
  const input = isGzip ? source.pipe(createGunzip()) : source
  // `pipe` does not pass errors on; without this a broken file would end as if it were complete.
  if (isGzip) source.on('error', (error) => input.destroy(error))
  const failed = new Promise<never>((_resolve, reject) => input.once('error', reject))
  failed.catch(() => {})
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]()
  for (;;) {
    const next = await Promise.race([lines.next(), failed])
    if (next.done) return
    yield next.value
  }
}

async function firstChunk(source: Readable): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    source.once('error', reject)
    source.once('end', () => resolve(undefined))
    source.once('readable', () => {
      const chunk: Buffer | null = source.read()
      if (chunk !== null) resolve(chunk)
    })
  })
}

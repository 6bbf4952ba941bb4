import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { createGunzip } from 'node:zlib'

/** First two bytes of gzip (RFC 1952). */
const GZIP = [0x1f, 0x8b]

/** A compressed input that is damaged or cut off. All lines before the damage have been given out. */
export class DamagedInputError extends Error {
  override readonly name = 'DamagedInputError'
}

/**
 * The lines of a file, or of standard input for `-`; gzip is recognised by its first bytes.
 * Errors: rejects with the file system's error, or with {@link DamagedInputError}.
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  const source: Readable = path === '-' ? process.stdin : createReadStream(path)
  const first = await firstChunk(source)
  if (first === undefined) return
  source.unshift(first)
  const chunks: AsyncIterable<Buffer> = first[0] === GZIP[0] && first[1] === GZIP[1] ? inflate(source) : source
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  rest += decoder.end()
  if (rest !== '') yield rest
}

/**
 * What can be inflated is given out before an error is thrown: a recorder that crashed leaves a cut file. Of a part that
 * is damaged within, up to its last 16 KiB before the damage are lost with it.
 */
async function* inflate(source: Readable): AsyncGenerator<Buffer> {
  const gunzip = createGunzip()
  const ready: Buffer[] = []
  let failure: Error | undefined
  let isTaken = () => {}
  gunzip.on('data', (chunk: Buffer) => ready.push(chunk))
  gunzip.on('error', (error) => {
    failure ??= error
    // A write that fails is not called back.
    isTaken()
  })
  const ended = new Promise((resolve) => gunzip.once('close', resolve))
  let bytes = 0
  for await (const chunk of source) {
    await new Promise<void>((resolve) => {
      isTaken = resolve
      gunzip.write(chunk, () => resolve())
    })
    yield* ready.splice(0)
    if (failure !== undefined) break
    bytes += chunk.length
    // Zeros end the compressed part: padding, or what a loss of power made of an append, with the rest unread behind.
    const unread = Math.min(chunk.length, bytes - gunzip.bytesWritten)
    if (unread > 0 && chunk.subarray(-unread).some((byte: number) => byte !== 0)) {
      failure = new Error('data behind the end of the compressed part')
      break
    }
  }
  gunzip.end()
  await ended
  yield* ready.splice(0)
  if (failure !== undefined) throw new DamagedInputError(failure.message)
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

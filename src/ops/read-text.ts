/** Reads a text file of the configuration: whatever the file is, never more than the limit. */

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { errorText } from '../model/errors.ts'

const FILE_BYTES_MAX = 1_048_576

/** `undefined`: no such file. Never reads more than the limit, whatever the file is. */
export function readText(path: string): { text: string } | { error: string } | undefined {
  let descriptor: number | undefined
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
    descriptor = openSync(path, 'r')
    const bytes = Buffer.alloc(FILE_BYTES_MAX + 1)
    let length = 0
    for (let count = -1; count !== 0 && length < bytes.length; length += count) {
      count = readSync(descriptor, bytes, length, bytes.length - length, null)
    }
    if (length > FILE_BYTES_MAX) return { error: 'larger than 1 MiB' }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length)) }
  } catch (error) {
    return { error: error instanceof TypeError ? 'not UTF-8 text' : `cannot be read (${errorText(error)})` }
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

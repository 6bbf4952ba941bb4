import { once } from 'node:events'

/** Text collected before it is handed to the operating system. */
const CHUNK_LENGTH = 65_536

/** Standard output in large chunks, waiting when the reader is slow. */
export function stdoutWriter(): { write(text: string): Promise<void>; end(): Promise<void> } {
  let pending = ''
  const flush = async () => {
    const text = pending
    pending = ''
    if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain')
  }
  return {
    async write(text) {
      pending += text
      if (pending.length >= CHUNK_LENGTH) await flush()
    },
    end: flush,
  }
}

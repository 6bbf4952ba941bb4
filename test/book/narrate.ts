import type { BookOutput, BookStep } from '../../src/book/step.ts'

/** An output in a few words: `snapshot 100`, `delta 105`, `live: snapshot`. */
export function words(output: BookOutput): string {
  if (output.type === 'book_state') return `${output.state}: ${output.reason}`
  return output.type === 'book_snapshot' ? `snapshot ${output.sequence}` : `delta ${output.last_sequence}`
}

/** A step in a few words: what it emits, what it needs, whether it was ignored. */
export const narrate = ({ emit, need, isIgnored }: BookStep): string[] => [
  ...emit.map(words),
  ...(need === undefined ? [] : [`need ${need}`]),
  ...(isIgnored ? ['ignored'] : []),
]

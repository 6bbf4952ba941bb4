/** docs/EXTENDING.md as what it says: changes to files. */

import { readFileSync } from 'node:fs'

export interface Change {
  readonly file: string
  /** Lines that stand there, and lines that stand there afterwards. */
  readonly before: string
  readonly after: string
}

const GUIDE = new URL('../../docs/EXTENDING.md', import.meta.url)

/** The hunks of all diffs, in order. */
export function changesOfGuide(): Change[] {
  const text = readFileSync(GUIDE, 'utf8')
  return [...text.matchAll(/^```diff\n--- (.+)\n@@\n([\s\S]*?)^```$/gm)].flatMap(([, file = '', hunks = '']) =>
    hunks.split(/^@@\n/m).map((hunk) => {
      const lines = hunk.replace(/\n$/, '').split('\n')
      const side = (own: string) =>
        lines.flatMap((line) => (line[0] === ' ' || line[0] === own ? [line.slice(1)] : [])).join('\n')
      return { file, before: side('-'), after: side('+') }
    }),
  )
}

/** Errors: throws when what should stand there does not. A part of a line may be changed. */
export function applied(text: string, { file, before, after }: Change): string {
  if (!text.includes(before))
    throw new Error(`docs/EXTENDING.md, to be moved along with the code: ${file} has no\n${before}`)
  return text.replace(before, () => after)
}

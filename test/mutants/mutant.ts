/** A seeded bug: one edit of one source file that some promise of the simulation must notice. */
export interface Mutant {
  /** Stable: figures and `--only` name it. */
  readonly name: string
  /** Below `src/`. */
  readonly file: string
  /** The exact text, with its lines and indents; it occurs once. */
  readonly find: string
  readonly replace: string
  /** What the bug does, in the words of someone who made it. */
  readonly why: string
}

/** `text` with the bug in it. Errors: throws an Error when the code has moved on, so that the text is not there exactly once. */
export function mutate({ name, file, find, replace }: Mutant, text: string): string {
  const [before, after, ...more] = text.split(find)
  if (before === undefined || after === undefined || more.length > 0) {
    const count = after === undefined ? 0 : more.length + 1
    throw new Error(`mutant ${name}: its text occurs ${count} times in src/${file}, it must be once:\n${find}`)
  }
  return before + replace + after
}

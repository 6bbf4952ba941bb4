/** What a check found. */

export type Status = 'ok' | 'warn' | 'fail'

export interface Finding {
  /** What was looked at: `okx rest`, `disk`. */
  readonly check: string
  readonly status: Status
  /** In words. */
  readonly found: string
  /** What to do about it; with everything but `ok`. */
  readonly advice?: string | undefined
}

export const ok = (check: string, found: string): Finding => ({ check, status: 'ok', found })
export const warn = (check: string, found: string, advice: string): Finding => ({
  check,
  status: 'warn',
  found,
  advice,
})
export const fail = (check: string, found: string, advice: string): Finding => ({
  check,
  status: 'fail',
  found,
  advice,
})

/** Names at most three. */
export function namesText(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
}

/** Has the system refused with this code (`ENOSPC`, `ENOENT`, …)? */
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

/** Resolves when `condition` holds. Errors: rejects after `deadlineMs`, saying what it waited for. */
export async function until(what: () => string, condition: () => unknown, deadlineMs = 15_000): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for: ${what()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

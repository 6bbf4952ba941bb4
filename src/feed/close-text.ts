/** Why a socket closed, in words. */

/** The close code with its meaning; 1006 means that no close frame came. */
export function closeText(code: number, reason: string): string {
  const text = reason.slice(0, 123)
  if (code === 1006) return text === '' ? 'connection lost' : text
  return text === '' ? `closed with code ${code}` : `closed with code ${code}: ${text}`
}

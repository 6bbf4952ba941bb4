/** The newest warnings and errors of the log, for those who look at the service from outside. */

const KEPT = 200

/** Facts that a line may tell outside the log; everything else stays there. */
const PUBLIC_FIELDS = ['venue', 'channel', 'symbol', 'sink', 'cause', 'outcome', 'reason', 'repeats'] as const

/** Their messages carry an exception's text or a path: those are for the log alone. */
export const PRIVATE_MESSAGES: ReadonlySet<string> = new Set([
  'bans_unreadable',
  'collector_failed',
  'config_incomplete',
  'config_invalid',
  'health_unreadable',
  'http_accept_failed',
  'ledger_unreadable',
  'request_failed',
  'spool_note',
])
const PRIVATE_TEXT = 'The log has the details.'

export interface RecentWarning {
  /** ISO-8601, UTC, six fraction digits. */
  readonly time: string
  readonly level: 'WARNING' | 'ERROR'
  readonly event: string
  readonly message: string
  readonly fields: Readonly<Partial<Record<(typeof PUBLIC_FIELDS)[number], string | number>>>
}

export class RecentWarnings {
  /** The oldest first. */
  readonly #kept: RecentWarning[] = []
  /** Lines of each level since the start. */
  readonly counts = { WARNING: 0, ERROR: 0 }

  /** Takes one line of the log, as JSON. Lines of other levels are ignored. */
  add(line: string): void {
    const { time, level, event, message, ...fields } = JSON.parse(line) as Record<string, unknown>
    if (level !== 'WARNING' && level !== 'ERROR') return
    this.counts[level]++
    const name = String(event)
    this.#kept.push({
      time: String(time),
      level,
      event: name,
      message: PRIVATE_MESSAGES.has(name) ? PRIVATE_TEXT : String(message),
      fields: publicFields(fields),
    })
    if (this.#kept.length > KEPT) this.#kept.shift()
  }

  newestFirst(): readonly RecentWarning[] {
    return this.#kept.toReversed()
  }
}

function publicFields(fields: Readonly<Record<string, unknown>>): RecentWarning['fields'] {
  const known = PUBLIC_FIELDS.map((name) => [name, fields[name]] as const)
  return Object.fromEntries(known.filter(([, value]) => typeof value === 'string' || typeof value === 'number'))
}

/** What must be said to reach a ClickHouse server. */

export const DATABASE = 'marketprism'
/** More days than this reach beyond the last time that a TTL of ClickHouse can name. */
export const TTL_DAYS_MAX = 10_000

export interface ClickHouseSinkOptions {
  /** `http(s)://[user[:password]@]host[:port][/database]`. */
  readonly url: string
  /** Instead of those of the URL. */
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly database?: string | undefined
  /** Market data older than this is removed by the server, up to {@link TTL_DAYS_MAX}; 0, unset: what the tables say already. */
  readonly ttlDays?: number | undefined
  /** Make and update tables and views; needs the right to. Without, they must be there. Default true. */
  readonly migrate?: boolean | undefined
  /** Send bodies with gzip: less network, more CPU. Default false. */
  readonly compress?: boolean | undefined
  /** File with the certificates (PEM) to trust, instead of the system's. */
  readonly caFile?: string | undefined
  /** How long an answer may take; then nobody knows whether the rows are stored, and they are sent again. Default 30 s. */
  readonly timeoutMs?: number | undefined
  /** Longest time that rows wait for a batch to fill while the server keeps up. Default 1 s. */
  readonly ageMs?: number | undefined
}

export interface Target {
  /** Without user, password and path. */
  readonly url: string
  readonly user: string
  readonly password: string
  readonly database: string
}

/** Where to and as whom. Errors: throws for a text that is no URL. */
export function targetOf(options: ClickHouseSinkOptions): Target {
  const url = new URL(options.url)
  return {
    url: url.origin,
    user: options.user ?? (decodeURIComponent(url.username) || 'default'),
    password: options.password ?? decodeURIComponent(url.password),
    database: options.database ?? (decodeURIComponent(url.pathname.replace(/^\/+|\/+$/g, '')) || DATABASE),
  }
}

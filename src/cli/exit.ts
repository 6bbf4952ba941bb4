/** Exit statuses; where there is one, the number of BSD sysexits. */
export const EXIT = {
  ok: 0,
  /** `--fail` was given, and something is missing. */
  missing: 1,
  /** `doctor`: a check fails. */
  failed: 1,
  usage: 64,
  badData: 65,
  /** No service answers (EX_UNAVAILABLE). */
  unavailable: 69,
  internal: 70,
  /** Another process uses the log's folder (EX_CANTCREAT). */
  locked: 73,
  /** Standard output or a file cannot be written (EX_IOERR). */
  output: 74,
  /** The service wants another token (EX_NOPERM). */
  noPermission: 77,
  config: 78,
  portInUse: 98,
  /** 128 + SIGINT: a second signal while stopping. */
  interrupted: 130,
} as const

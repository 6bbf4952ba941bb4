import type { Tone } from './connection.ts'

const TONES: Readonly<Record<string, Tone>> = {
  live: 'ok',
  active: 'ok',
  up: 'ok',
  writable: 'ok',
  pass: 'ok',
  healthy: 'ok',
  healed: 'ok',
  connecting: 'warn',
  subscribing: 'warn',
  syncing: 'warn',
  resyncing: 'warn',
  degraded: 'warn',
  warn: 'warn',
  WARNING: 'warn',
  closed: 'warn',
  final: 'bad',
  open: 'bad',
  stale: 'bad',
  down: 'bad',
  banned: 'bad',
  failing: 'bad',
  fail: 'bad',
  unhealthy: 'bad',
  ERROR: 'bad',
}

/** How a state of the API is shown; `off` for those that nobody wants. */
export const toneOf = (state: string): Tone => TONES[state] ?? 'off'

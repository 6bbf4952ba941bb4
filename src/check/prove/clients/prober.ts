/**
 * A process of its own, as an orchestrator's probe is: asks for `/health` on a new connection each time, and takes the time.
 * `node prober.js '{"port":…}'`; tells its parent every answer; ends with it, or with its first message.
 */

import http from 'node:http'
import { systemClock } from '../../../platform/clock.ts'

export interface ProberOptions {
  readonly port: number
}

export interface ProberReport {
  readonly tookMs: number
  /** Absent: no answer came. */
  readonly status?: number | undefined
}

const EVERY_MS = 50
const TIMEOUT_MS = 10_000

function main({ port }: ProberOptions): void {
  const clock = systemClock()
  const probe = () => {
    const startMs = clock.monotonicMs()
    const done = (status?: number) => {
      const report: ProberReport = { tookMs: clock.monotonicMs() - startMs, status }
      process.send?.(report)
    }
    const request = http.get({ host: '127.0.0.1', port, path: '/health', agent: false, timeout: TIMEOUT_MS })
    request.on('response', (response) => {
      response.resume()
      response.on('end', () => done(response.statusCode))
      response.on('error', () => done())
    })
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.on('error', () => done())
  }
  // Whether the last one was answered or not: who waits for it would miss most of a slow time.
  clock.every(EVERY_MS, probe)
  for (const end of ['disconnect', 'message']) process.once(end, () => process.exit(0))
}

main(JSON.parse(process.argv[2] ?? '{}'))

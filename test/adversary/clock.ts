/** The real platform with a clock that runs `speed` times as fast: minutes of silence pass in seconds, on real sockets. */

import type { Clock, Platform } from '../../src/platform/platform.ts'
import { systemPlatform } from '../../src/platform/system.ts'

export function fastClock(real: Clock, speed: number): Clock {
  const startUs = real.nowUs()
  const startMs = real.monotonicMs()
  return {
    nowUs: () => startUs + (real.nowUs() - startUs) * speed,
    monotonicMs: () => startMs + (real.monotonicMs() - startMs) * speed,
    after: (delayMs, action) => real.after(delayMs / speed, action),
    every: (intervalMs, action) => real.every(intervalMs / speed, action),
  }
}

export function fastPlatform(speed: number): Platform {
  const real = systemPlatform()
  return {
    ...real,
    clock: fastClock(real.clock, speed),
    net: {
      connect: (options, handlers) =>
        real.net.connect({ ...options, connectTimeoutMs: options.connectTimeoutMs / speed }, handlers),
    },
    http: { get: (request) => real.http.get({ ...request, timeoutMs: request.timeoutMs / speed }) },
  }
}

import { systemClock } from './clock.ts'
import { systemFiles } from './files.ts'
import { systemHttp } from './http.ts'
import { systemNet } from './net.ts'
import type { Platform } from './platform.ts'
import { systemProcesses } from './processes.ts'

/** The real world. */
export const systemPlatform = (): Platform => ({
  clock: systemClock(),
  random: Math.random,
  net: systemNet,
  http: systemHttp(),
  files: systemFiles,
  processes: systemProcesses(),
})

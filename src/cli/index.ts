/** The registry of commands. */

import type { Command } from 'commander'
import { configCommand } from './config.ts'
import { demoCommand } from './demo.ts'
import { normalizeCommand } from './normalize.ts'
import { simCommand } from './sim.ts'
import { startCommand } from './start.ts'

export const commands = (): readonly Command[] => [
  startCommand(),
  demoCommand(),
  normalizeCommand(),
  simCommand(),
  configCommand(),
]

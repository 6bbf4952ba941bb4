/** The registry of commands. */

import type { Command } from 'commander'
import { completenessCommand } from './completeness.ts'
import { configCommand } from './config.ts'
import { demoCommand } from './demo.ts'
import { doctorCommand } from './doctor.ts'
import { gapsCommand } from './gaps.ts'
import { healthCommand } from './health.ts'
import { normalizeCommand } from './normalize.ts'
import { planCommand } from './plan.ts'
import { simCommand } from './sim.ts'
import { spoolCommand } from './spool.ts'
import { startCommand } from './start.ts'
import { topCommand } from './top.ts'

export const commands = (): readonly Command[] => [
  startCommand(),
  demoCommand(),
  doctorCommand(),
  topCommand(),
  healthCommand(),
  gapsCommand(),
  completenessCommand(),
  normalizeCommand(),
  spoolCommand(),
  planCommand(),
  simCommand(),
  configCommand(),
]

/** Looks at everything that the service needs, as the configuration has it. Changes nothing. */

import { join } from 'node:path'
import { planOf } from '../collector/plan.ts'
import type { LoadedConfig } from '../ops/config.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import { type Finding, ok, warn } from './finding.ts'
import { checkClickHouse, checkDisk, checkNats } from './machine.ts'
import { checkVenue } from './venue.ts'

export interface DoctorOptions {
  readonly loaded: LoadedConfig
  readonly venues: readonly Venue[]
  readonly platform: Platform
  /** How long each stream may take for its first message. */
  readonly listenMs: number
}

/** All checks run side by side; yields what they found, in a fixed order. */
export async function* examine({ loaded, venues, platform, listenMs }: DoctorOptions): AsyncGenerator<Finding> {
  const { config } = loaded
  const bansPath = join(config.data_dir, 'rest-bans.json')
  const enabled = venues.filter(({ id }) => config.exchanges[id]?.enabled === true)
  const checks = [
    Promise.resolve(checkConfiguration(loaded, venues)),
    checkDisk(config, platform.files, platform.processes.own.pid),
    checkNats(config, platform),
    checkClickHouse(config, platform),
    ...enabled.map((venue) => checkVenue({ venue, config, platform, bansPath, listenMs })),
  ]
  for (const check of checks) yield* await check
}

function checkConfiguration({ config, folder, warnings }: LoadedConfig, venues: readonly Venue[]): Finding[] {
  const name = 'configuration'
  const problems = planOf(config, venues).flatMap((plan) => plan.problems.map(({ text }) => text))
  return [
    ok(name, folder ?? 'no folder: the defaults'),
    ...warnings.map((text) => warn(name, text, 'see marketprism config')),
    ...problems.map((text) => warn(name, text, 'see marketprism plan')),
  ]
}

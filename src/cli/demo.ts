import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import type { Override } from '../ops/environment.ts'
import { systemPlatform } from '../platform/system.ts'
import { simVenues } from '../sim/index.ts'
import { type Simulator, startSimulator } from '../sim/server.ts'
import { venues } from '../venues/index.ts'
import { addConfigFlags, configFromFlags } from './config.ts'
import { EXIT } from './exit.ts'

/** `marketprism demo`: the same service against simulated exchanges on this machine; no network. */
export function demoCommand(): Command {
  const command = new Command('demo')
    .description('run the service against simulated exchanges on this machine; no network is used')
    .option('--seed <number>', 'seed of the simulated markets', parseSeed, 1)
  return addConfigFlags(command, ['environment', 'data_dir'])
    .addHelpText(
      'after',
      `
All data are simulated and marked so: environment "simulation" in the API, the log and the metrics. Whatever data_dir says,
they are kept in a temporary folder, which is removed at the end; a folder that lake.dir names is kept.

Examples:
  marketprism demo
  marketprism demo --port 0 --log-level DEBUG`,
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      // Loaded here, so that the other commands start without the HTTP server.
      const { runService } = await import('./run.ts')
      const platform = systemPlatform()
      const simulator = await startSimulator({ clock: platform.clock, venues: simVenues, seed: flags.seed as number })
      const dataDir = await mkdtemp(join(tmpdir(), 'marketprism-demo-'))
      // Also when a second signal ends the process at once.
      process.on('exit', () => rmSync(dataDir, { recursive: true, force: true }))
      const cleanUp = () => simulator.stop()
      try {
        const load = () => configFromFlags(flags, simulatorOverrides(simulator, dataDir))
        // Beside the log where that is for a program to read.
        const screen = process.stdout.isTTY ? process.stdout : process.stderr
        const onStart = (url: string) => void screen.write(banner(url, simulator.url))
        await runService({ load, platform, onStart, onStop: cleanUp })
        process.exit(EXIT.ok)
      } catch (error) {
        await cleanUp()
        throw error
      }
    })
}

function parseSeed(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value)
  throw new InvalidArgumentError('expected a whole number of at most 9 digits')
}

/** Points every venue to the simulator, or switches it off where there is none; a simulated ban must not outlive the demo. */
function simulatorOverrides(simulator: Simulator, dataDir: string): Override[] {
  const origin = 'the demo'
  const simulated = new Set(simVenues.map(({ id }) => id))
  return [
    { path: 'environment', value: 'simulation', origin },
    { path: 'data_dir', value: dataDir, origin },
    ...venues.flatMap(({ id }) => {
      const options = simulated.has(id) ? simulator.options(id) : { enabled: false }
      return Object.entries(options).map(([key, value]) => ({ path: `exchanges.${id}.${key}`, value, origin }))
    }),
  ]
}

const banner = (url: string, simulatorUrl: string): string => `
  SIMULATED DATA: exchanges are simulated on this machine, no network is used.

  dashboard   ${url}/
  status      ${url}/api/v1/status
  data        ${url}/api/v1/collector/data
  health      ${url}/health
  metrics     ${url}/metrics
  API docs    ${url}/docs
  simulator   ${simulatorUrl}/control/state

  Ctrl-C stops it.

`

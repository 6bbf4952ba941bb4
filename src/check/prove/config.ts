/** The configuration of a service that collects from a simulator. */

import { join } from 'node:path'
import { stringify } from 'yaml'
import { systemPlatform } from '../../platform/system.ts'
import { configFiles } from '../../sim/config-files.ts'
import type { SimVenue } from '../../sim/exchange.ts'
import type { Simulator } from '../../sim/server.ts'

/** `more`: sections of the service's configuration beyond those that every proof needs. */
export async function writeConfig(
  folder: string,
  simulated: readonly SimVenue[],
  simulator: Simulator,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { files } = systemPlatform()
  const symbols = simulated.map(({ id, instruments }) => ({
    id,
    symbols: instruments.map(({ symbol }) => symbol),
    options: simulator.options(id),
  }))
  const service = {
    environment: 'simulation',
    data_dir: join(folder, 'data'),
    api: { port: 0, requests_per_second: 100_000 },
    log: { format: 'json' },
    ...more,
  }
  await files.replace(join(folder, 'exchanges.yaml'), configFiles(symbols)['exchanges.yaml'])
  await files.replace(join(folder, 'service.yaml'), stringify(service))
}

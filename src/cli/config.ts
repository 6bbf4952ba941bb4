/** `marketprism config`: the effective configuration and where each value comes from. Also the flags that other commands share. */

import { Command } from 'commander'
import { requireWithinLimits } from '../collector/plan.ts'
import { type LoadedConfig, loadConfig } from '../ops/config.ts'
import { configEntries, configText } from '../ops/describe.ts'
import { FLAGS, flagOverrides, type Override, processEnvironment } from '../ops/environment.ts'
import { venues } from '../venues/index.ts'

/** Adds `--config DIR` and the flags that set single options, but for the `fixed` ones, which the command decides itself. */
export function addConfigFlags(command: Command, fixed: readonly string[] = []): Command {
  command.option('-c, --config <dir>', 'folder with the configuration files')
  for (const { usage, path } of FLAGS) if (!fixed.includes(path)) command.option(usage, `sets ${path}`)
  return command
}

/**
 * The configuration as the files, the environment and parsed flags give it. `overrides` come last.
 * Errors: throws PrismError CONFIG_INVALID.
 */
export function configFromFlags(
  flags: Readonly<Record<string, unknown>>,
  overrides: readonly Override[] = [],
): LoadedConfig {
  return loadConfig({
    venues,
    environment: processEnvironment(),
    cwd: process.cwd(),
    configDir: typeof flags.config === 'string' ? flags.config : undefined,
    overrides: [...flagOverrides(flags), ...overrides],
  })
}

const EXAMPLES = `
Examples:
  marketprism config                      every value and its origin
  marketprism config --json               the same for programs
  marketprism config --check -c /etc/mp   only check; exit status 78 when something is wrong
`

/** Prints to stdout; warnings to stderr. */
export function configCommand(): Command {
  const command = new Command('config')
    .description('print the effective configuration and where each value comes from')
    .option('--json', 'print JSON')
    .option('--check', 'only check, print nothing but mistakes')
    .addHelpText('after', EXAMPLES)
  return addConfigFlags(command).action((flags: Readonly<Record<string, unknown>>) => {
    const loaded = configFromFlags(flags)
    requireWithinLimits(loaded.config, venues)
    for (const warning of loaded.warnings) process.stderr.write(`${warning}\n`)
    if (flags.check === true) return
    const entries = configEntries(loaded, venues)
    const json = { folder: loaded.folder ?? null, warnings: loaded.warnings, options: entries.map(withNull) }
    process.stdout.write(flags.json === true ? `${JSON.stringify(json, null, 2)}\n` : configText(entries))
  })
}

/** JSON has no `undefined`; the key shall be there all the same. */
const withNull = <Entry extends { readonly value: unknown }>(entry: Entry) => ({ ...entry, value: entry.value ?? null })

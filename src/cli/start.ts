import { Command } from 'commander'
import { systemPlatform } from '../platform/system.ts'
import { addConfigFlags, configFromFlags } from './config.ts'
import { EXIT } from './exit.ts'

/** `marketprism start`: collects from the configured exchanges until a signal ends it. */
export function startCommand(): Command {
  const command = new Command('start').description('collect from the exchanges and serve the API')
  return addConfigFlags(command)
    .addHelpText(
      'after',
      `
Examples:
  marketprism start                          the default symbols of all exchanges, API on http://127.0.0.1:8084
  marketprism start -c /etc/marketprism      with your configuration
  API_PORT=9000 marketprism start            the environment wins over files, flags win over both
  kill -HUP <pid>                            reads the configuration again; the log says what needs a restart`,
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      // Loaded here, so that the other commands start without the HTTP server.
      const { runService } = await import('./run.ts')
      await runService({ load: () => configFromFlags(flags), platform: systemPlatform() })
      process.exit(EXIT.ok)
    })
}

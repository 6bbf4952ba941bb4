/** `marketprism plan`: what a configuration will cost, before it is run. */

import { Command } from 'commander'
import { planOf, type VenuePlan } from '../collector/plan.ts'
import { venues } from '../venues/index.ts'
import { addConfigFlags, configFromFlags } from './config.ts'
import { EXIT } from './exit.ts'
import { planText } from './plan-text.ts'
import { screenOf } from './table.ts'

export function planCommand(): Command {
  const command = new Command('plan')
    .description('what the configuration will cost: connections, streams, requests, expected rates and disk')
    .option('--json', 'print JSON', false)
  return addConfigFlags(command)
    .addHelpText(
      'after',
      `
Nothing is opened and no exchange is asked. Exit status ${EXIT.config} when the configuration is invalid, or asks a venue for
more than its limits allow.

Examples:
  marketprism plan
  marketprism plan -c /etc/marketprism --json`,
    )
    .action((flags: Readonly<Record<string, unknown>>) => {
      const { config } = configFromFlags(flags)
      const plans = planOf(config, venues)
      const text = () => planText(plans, config, screenOf(process.stdout))
      process.stdout.write(flags.json === true ? `${JSON.stringify(planJson(plans), null, 2)}\n` : text())
      const problems = plans.flatMap((plan) => plan.problems)
      for (const problem of problems) process.stderr.write(`${problem.text}.\n`)
      if (problems.length > 0) process.exitCode = EXIT.config
    })
}

/** The plans as programs read them; `null`: no limit. */
const planJson = (plans: readonly VenuePlan[]) => ({
  isWithinLimits: plans.every(({ problems }) => problems.length === 0),
  venues: plans.map(({ venue, symbols, cost, rates, problems }) => ({
    venue: venue.id,
    symbols,
    streams: cost.topics,
    streamsMax: Number.isFinite(cost.topicsMax) ? cost.topicsMax : null,
    connections: cost.connections,
    budgets: cost.budgets,
    startMs: cost.startMs,
    estimates: rates,
    problems: problems.map(({ text }) => text),
  })),
})

#!/usr/bin/env node
import { Command } from 'commander'
import { normalizeCommand } from './cli/normalize.ts'

const program = new Command('marketprism')
program.addCommand(normalizeCommand())
await program.parseAsync()

/** `marketprism spool`: looks into the durable log, and repairs it. */

import { Command, InvalidArgumentError } from 'commander'
import { spoolFolder } from '../collector/spool.ts'
import { isoTime } from '../model/time.ts'
import type { Files } from '../platform/platform.ts'
import { stdoutWriter } from '../platform/stdout.ts'
import { systemPlatform } from '../platform/system.ts'
import { KINDS, type LogRecord } from '../spool/frame.ts'
import { inspectSpool, readRecords } from '../spool/inspect.ts'
import { findHolder, type LockParts } from '../spool/lock.ts'
import { repairSpool } from '../spool/repair.ts'
import { addConfigFlags, configFromFlags } from './config.ts'
import { EXIT } from './exit.ts'
import { isSound, repairText, reportText } from './spool-text.ts'
import { screenOf } from './table.ts'

type Flags = Readonly<Record<string, unknown>>

interface DumpFlags extends Flags {
  readonly from: number
  readonly to: number
  readonly limit: number
  readonly stream?: string
  readonly kind?: string
  readonly bodies: boolean
}

export function spoolCommand(): Command {
  return new Command('spool')
    .description('look into the durable log, and repair it')
    .addCommand(verifyCommand().exitOverride())
    .addCommand(dumpCommand().exitOverride())
    .addCommand(repairCommand().exitOverride())
    .addHelpText(
      'after',
      `
The log is in spool.dir, else in the folder spool of data_dir. verify and dump change nothing and may run beside a service.

Examples:
  marketprism spool verify                        every file, every cursor, every spoilt place
  marketprism spool dump --from 1000 --limit 10   records, one JSON object a line
  marketprism spool repair --dry-run              what a repair would do`,
    )
}

function verifyCommand(): Command {
  const command = new Command('verify')
    .description(
      `read the whole log and say what is wrong; exit status ${EXIT.badData} when something is, or no log is there`,
    )
    .option('--json', 'print JSON', false)
  return addFolderFlags(command).action(async (flags: Flags) => {
    const { folder, files, ...parts } = partsOf(flags)
    if (!(await isThere(folder, files))) return
    const report = await inspectSpool(folder, files, await findHolder({ folder, files, ...parts }))
    const text =
      flags.json === true ? `${JSON.stringify(report, null, 2)}\n` : reportText(report, screenOf(process.stdout))
    process.stdout.write(text)
    if (!isSound(report)) process.exitCode = EXIT.badData
  })
}

function dumpCommand(): Command {
  const command = new Command('dump')
    .description('print records, one JSON object a line; spoilt places are passed over')
    .option('--from <lsn>', 'the first record', lsn, 1)
    .option('--to <lsn>', 'the last record', lsn, Number.MAX_SAFE_INTEGER)
    .option('--limit <count>', 'records at most', lsn, Number.MAX_SAFE_INTEGER)
    .option('--stream <text>', 'streams whose name contains it')
    .option('--kind <kind>', `one of ${KINDS.join(', ')}`, kind)
    .option('--bodies', 'only what was logged, without number, time and stream', false)
  return addFolderFlags(command).action(async (flags: DumpFlags) => {
    const { folder, files } = partsOf(flags)
    if (!(await isThere(folder, files))) return
    const out = stdoutWriter()
    let left = flags.limit
    for await (const records of readRecords(folder, files, flags.from, flags.to)) {
      const wanted = records.filter((record) => isWanted(record, flags)).slice(0, left)
      for (const record of wanted) await out.write(flags.bodies ? `${record.body}\n` : lineOf(record))
      left -= wanted.length
      if (left <= 0) break
    }
    await out.end()
  })
}

function repairCommand(): Command {
  const command = new Command('repair')
    .description('take spoilt places out of a log that no service uses; what was there is kept beside it')
    .option('--dry-run', 'only say what would be done', false)
  return addFolderFlags(command)
    .addHelpText(
      'after',
      `\nExit status ${EXIT.locked} when a service uses the log. What is lost stays lost; copies end in .bad.`,
    )
    .action(async (flags: Flags) => {
      const isTrial = flags.dryRun === true
      const parts = partsOf(flags)
      if (!(await isThere(parts.folder, parts.files))) return
      process.stdout.write(repairText(await repairSpool(parts, isTrial), isTrial))
    })
}

const addFolderFlags = (command: Command): Command =>
  addConfigFlags(command.option('--dir <dir>', 'folder of the log, whatever the configuration says'))

function partsOf(flags: Flags): LockParts {
  const { files, clock, processes } = systemPlatform()
  const folder = typeof flags.dir === 'string' ? flags.dir : spoolFolder(configFromFlags(flags).config)
  return { folder, files, clock, processes }
}

/** A misspelt folder must not pass for a sound log. */
async function isThere(folder: string, files: Files): Promise<boolean> {
  if ((await files.list(folder)).length > 0) return true
  process.stderr.write(`There is no log in ${folder}.\n`)
  process.exitCode = EXIT.badData
  return false
}

const isWanted = ({ stream, kind }: LogRecord, flags: DumpFlags): boolean =>
  (flags.stream === undefined || stream.includes(flags.stream)) && (flags.kind === undefined || kind === flags.kind)

/** A body that is JSON stands there as it is, digit for digit. */
function lineOf({ lsn, kind, stream, timeUs, body }: LogRecord): string {
  const head = `{"lsn":${lsn},"kind":"${kind}","stream":${JSON.stringify(stream)},"time":"${isoTime(timeUs)}"`
  const text = body.toString()
  return isJson(text) ? `${head},"body":${text}}\n` : `${head},"base64":"${body.toString('base64')}"}\n`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return !text.includes('\n')
  } catch {
    return false
  }
}

function lsn(value: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= 1) return number
  throw new InvalidArgumentError('expected a whole number from 1 on')
}

function kind(value: string): string {
  if ((KINDS as readonly string[]).includes(value)) return value
  throw new InvalidArgumentError(`expected one of ${KINDS.join(', ')}`)
}

/** Where a row is in the lake: `<dir>/type=<type>/exchange=<exchange>/date=<date>/<log>-<first>-<last>.parquet`. */

import { join } from 'node:path'
import type { EpochUs } from '../../model/event.ts'
import type { Files } from '../../platform/platform.ts'
import { hasCode } from '../../platform/system-error.ts'

/** A number of the log in a name, so long that names sort as numbers do. */
const LSN_DIGITS = 16
const FILE_NAME = /^[\w%-]+-\d{16}-\d{16}\.parquet$/
const FOLDER_NAMES = [/^type=[\w%-]+$/, /^exchange=[\w%-]+$/, /^date=(\d{4}-\d{2}-\d{2})$/] as const

/** Files that are not finished yet; readers pass over names that begin with a dot. */
export const unfinishedFolder = (dir: string): string => join(dir, '.unfinished')

const DAY_US = 86_400_000_000
const DAY_MS = 86_400_000
/** An event may be fetched so long after it happened, or be stamped by a clock that is so far ahead. */
const LATE_DAYS_MAX = 30
const EARLY_DAYS_MAX = 1

/** Days since the epoch, UTC. */
export const dayOf = (timeUs: EpochUs): number => Math.floor(timeUs / DAY_US)

/** `2026-11-29` */
export const dateText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10)

/**
 * When a row happened, for its date and its place in the file: as the venue says, or else when it was received. What
 * the venue says is not believed when it is far from that: false stamps must not make folders for all days there are.
 */
export function rowTimeUs(exchangeTimeUs: EpochUs | undefined, receiveTimeUs: EpochUs): EpochUs {
  if (exchangeTimeUs === undefined) return receiveTimeUs
  const lateDays = dayOf(receiveTimeUs) - dayOf(exchangeTimeUs)
  return lateDays <= LATE_DAYS_MAX && lateDays >= -EARLY_DAYS_MAX ? exchangeTimeUs : receiveTimeUs
}

export const partitionPath = (type: string, exchange: string, day: number): string =>
  join(`type=${type}`, `exchange=${escaped(exchange)}`, `date=${dateText(day)}`)

/** The same records of the same log always make the same name, so a batch that comes again finds its files. */
export const fileName = (logId: string, firstLsn: number, lastLsn: number): string =>
  `${logName(logId)}-${lsnText(firstLsn)}-${lsnText(lastLsn)}.parquet`

/** A log's id as a part of names. */
export const logName = (logId: string): string => escaped(logId)

const lsnText = (lsn: number): string => String(lsn).padStart(LSN_DIGITS, '0')

/** Never a separator or a dot, and what it stood for can be read from it. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[.!'()*~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

/** One folder of the lake that holds files. */
export interface DateFolder {
  readonly date: string
  readonly path: string
}

/** All folders of the layout; whatever else is there is not ours. */
export async function dateFolders(files: Files, dir: string): Promise<DateFolder[]> {
  let folders: DateFolder[] = [{ date: '', path: dir }]
  for (const pattern of FOLDER_NAMES) {
    const below: DateFolder[] = []
    for (const { path } of folders) {
      for (const name of await namesIn(files, path)) {
        const match = pattern.exec(name)
        if (match) below.push({ date: match[1] ?? '', path: join(path, name) })
      }
    }
    folders = below
  }
  return folders
}

/** Names of the lake's files in a folder, those of the oldest records first. */
export async function fileNames(files: Files, folder: string): Promise<string[]> {
  return (await namesIn(files, folder)).filter((name) => FILE_NAME.test(name)).sort()
}

/** A file where a folder was expected holds none. */
async function namesIn(files: Files, folder: string): Promise<readonly string[]> {
  try {
    return await files.list(folder)
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) return []
    throw error
  }
}

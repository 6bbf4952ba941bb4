/** What is ours: disk and stores. */

import { dirname, join, resolve } from 'node:path'
import { natsOptions } from '../collector/nats-options.ts'
import { clickhouseOptions } from '../collector/sinks.ts'
import { errorText } from '../model/errors.ts'
import type { Config } from '../ops/config-schema.ts'
import type { Files, Platform } from '../platform/platform.ts'
import { lookAtClickHouse } from '../sinks/clickhouse/look.ts'
import { lookAtNats } from '../sinks/nats/look.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const MIB = 1024 * 1024
const FREE_MIN = 256 * MIB

/** The folders that data go to; those of one kind on one line. */
export async function checkDisk(
  { data_dir: dataDir, spool, lake }: Config,
  files: Files,
  pid: number,
): Promise<Finding[]> {
  const folders = [
    { name: 'disk data', folder: dataDir, needed: 0, option: 'data_dir' },
    ...(spool.mode === 'off'
      ? []
      : [
          {
            name: 'disk log',
            folder: spool.dir ?? join(dataDir, 'spool'),
            needed: spool.quota_bytes,
            option: 'spool.quota_bytes',
          },
        ]),
    ...(lake.enabled
      ? [
          {
            name: 'disk lake',
            folder: lake.dir ?? join(dataDir, 'lake'),
            needed: lake.max_bytes,
            option: 'lake.max_bytes',
          },
        ]
      : []),
  ]
  return Promise.all(
    folders.map(async ({ name, folder, needed, option }) => {
      const place = await existing(resolve(folder), files)
      try {
        await tryToWrite(join(place, `.marketprism-${name.replace(' ', '-')}-${pid}`), files)
        const free = await files.freeBytes(place)
        const found = `${place}: ${Math.floor(free / MIB)} MiB free`
        if (free < FREE_MIN)
          return fail(name, found, `make room, or set another folder; below ${FREE_MIN / MIB} MiB data are lost soon`)
        return free < needed
          ? warn(name, found, `${option} allows ${Math.ceil(needed / MIB)} MiB: make room, or allow less`)
          : ok(name, found)
      } catch (error) {
        return fail(
          name,
          `${place}: ${errorText(error)}`,
          'let the user of the service write there, or set another folder',
        )
      }
    }),
  )
}

/** The folder, or the nearest above it that is there: the others would be made. */
async function existing(folder: string, files: Files): Promise<string> {
  for (let place = folder; ; place = dirname(place)) {
    const isThere = (await files.size(place)) !== undefined
    if (isThere || place === dirname(place)) return place
  }
}

async function tryToWrite(path: string, files: Files): Promise<void> {
  const file = await files.create(path)
  try {
    await file.append([Buffer.from('probe')])
    await file.sync()
  } finally {
    await file.close()
    await files.remove(path)
  }
}

export async function checkNats(config: Config, { files }: Platform): Promise<Finding[]> {
  const options = natsOptions(config)
  if (options === undefined) return []
  try {
    const { version, weaknesses } = await lookAtNats(options, files)
    const server = `server ${version} with JetStream`
    if (weaknesses === undefined) return [ok('nats', `${server}; stream ${options.stream.name} will be made`)]
    const found = `${server}; stream ${options.stream.name}`
    return weaknesses.length === 0
      ? [ok('nats', found)]
      : [warn('nats', `${found}: ${weaknesses.join('; ')}`, 'change the stream: docs/CONSUMERS.md')]
  } catch (error) {
    return [fail('nats', errorText(error), 'check nats.url, the credentials, and that the server runs with -js')]
  }
}

export async function checkClickHouse(config: Config, { files }: Platform): Promise<Finding[]> {
  const options = clickhouseOptions(config)
  if (options === undefined) return []
  try {
    const { version, database, hasDatabase } = await lookAtClickHouse(options, files)
    const found = `server ${version}; database ${database} ${hasDatabase ? 'is there' : 'is not there'}`
    if (hasDatabase || config.clickhouse.migrate)
      return [ok('clickhouse', hasDatabase ? found : `${found}, it will be made`)]
    return [fail('clickhouse', found, 'make it (docs/CLICKHOUSE.md), or set clickhouse.migrate: true')]
  } catch (error) {
    return [fail('clickhouse', errorText(error), 'check clickhouse.url, user and password')]
  }
}

/** One look at the server, for diagnosis: nothing is made or changed. */

import type { Files } from '../../platform/platform.ts'
import { failure } from './failures.ts'
import { type ClickHouseSinkOptions, targetOf } from './options.ts'
import { quoted } from './schema.ts'
import { connect } from './server.ts'

const ANSWER_MS = 5_000

export interface ClickHouseLook {
  readonly version: string
  readonly database: string
  readonly hasDatabase: boolean
}

/** Errors: rejects with what is wrong, in words; secrets are not in it. */
export async function lookAtClickHouse(options: ClickHouseSinkOptions, files: Files): Promise<ClickHouseLook> {
  const { caFile } = options
  const target = targetOf(options)
  const ca = caFile === undefined ? undefined : await files.read(caFile)
  if (caFile !== undefined && ca === undefined) throw failure('trust', new Error(`there is no file '${caFile}'`))
  const server = connect({ ...target, compress: false, ca, timeoutMs: ANSWER_MS })
  try {
    const [[version] = []] = await server.query('SELECT version()')
    if (version === undefined) throw new Error('what answers is no ClickHouse server')
    const rows = await server.query(`EXISTS DATABASE ${quoted(target.database)}`)
    return { version, database: target.database, hasDatabase: rows[0]?.[0] === '1' }
  } catch (error) {
    throw failure('ask', error)
  } finally {
    await server.close()
  }
}

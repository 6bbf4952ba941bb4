/** Recorded market data that lie beside the project, or where MARKETPRISM_DATA says; never part of it. */

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

const FOLDER = process.env.MARKETPRISM_DATA ?? fileURLToPath(new URL('../../../shared/data/', import.meta.url))

export const hasSharedData = existsSync(FOLDER)

export const WHY_SKIPPED = `recorded data are not at ${FOLDER}; set MARKETPRISM_DATA to run these tests`

if (!hasSharedData) console.warn(`SKIPPED: ${WHY_SKIPPED}`)

export const sharedFile = (path: string): string => `${FOLDER.replace(/\/$/, '')}/${path}`

/** The lines of a gzipped file of JSON lines. */
export const readJsonLines = <Row>(path: string): Row[] =>
  gunzipSync(readFileSync(sharedFile(path)))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)

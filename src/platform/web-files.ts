import { readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Built beside the program; the path is the same seen from `src` and from `dist`. */
const FOLDER = fileURLToPath(new URL('../../dist/web/', import.meta.url))

/** Files by their path below the folder, with `/` in it; none when the folder is missing. */
export function readWebFiles(folder = FOLDER): ReadonlyMap<string, Buffer> {
  const names = statSync(folder, { throwIfNoEntry: false }) ? readdirSync(folder, { recursive: true }) : []
  const files = names.map(String).filter((name) => statSync(`${folder}/${name}`).isFile())
  return new Map(files.map((name) => [name.replaceAll('\\', '/'), readFileSync(`${folder}/${name}`)]))
}

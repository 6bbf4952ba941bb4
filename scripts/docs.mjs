// `npm run docs`: writes the files that are made from the code (documentation tables, shipped configuration).
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { dataPage } from './data-page.mjs'
import { eventSchemaFiles } from './event-schemas.mjs'
import { reliabilityPage } from './reliability.mjs'
import { ROOT, say, setUp } from './setup.mjs'
import { thirdPartyPage } from './third-party.mjs'
import { venuesPage } from './venues-page.mjs'

setUp()
const { generatedFiles } = await import('../dist/ops/generated.js')
const { apiMarkdown, errorsMarkdown } = await import('../dist/api/reference.js')
const { venues } = await import('../dist/venues/index.js')
const empty = mkdtempSync(join(tmpdir(), 'marketprism-docs-'))
const schemas = eventSchemaFiles()
const files = [
  ...generatedFiles(empty),
  { path: 'docs/API.md', text: apiMarkdown(venues) },
  { path: 'docs/ERRORS.md', text: errorsMarkdown() },
  await reliabilityPage(),
  await venuesPage(),
  await dataPage(schemas),
  ...schemas,
  thirdPartyPage(),
]
for (const { path, text } of files) {
  const target = join(ROOT, path)
  if (read(target) === text) continue
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
  say(`wrote ${path}`)
}
rmdirSync(empty)

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

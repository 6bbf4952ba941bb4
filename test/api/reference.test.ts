/** docs/API.md and docs/ERRORS.md are what the code says. */

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { apiMarkdown, errorsMarkdown } from '../../src/api/reference.ts'
import { ERRORS } from '../../src/model/errors.ts'
import { venues } from '../../src/venues/index.ts'

const FILES = [
  { path: 'docs/API.md', text: apiMarkdown(venues) },
  { path: 'docs/ERRORS.md', text: errorsMarkdown() },
]

for (const { path, text } of FILES) {
  test(`${path} is up to date; \`npm run docs\` writes it`, () => {
    const url = new URL(`../../${path}`, import.meta.url)
    if (process.env.UPDATE_DOCS) writeFileSync(url, text)
    expect(readFileSync(url, 'utf8')).toBe(text)
  })
}

test('every endpoint, parameter and code is in the reference', () => {
  const [api, errors] = FILES.map(({ text }) => text)
  for (const path of [
    '/api/v1/status',
    '/api/v1/collector/data',
    '/api/v1/orderbook/{venue}/{symbol}',
    '/health/ready',
  ]) {
    expect(api).toContain(`### \`GET ${path}\``)
  }
  expect(api).toContain('| `depth` | integer 1 to 400 | `20` |')
  expect(api).toContain('| `summary.collection_stats.total_collections` | integer |')
  for (const code of Object.keys(ERRORS)) expect(errors).toContain(`| \`${code}\` |`)
})

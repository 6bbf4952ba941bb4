/** docs/VENUES.md and docs/DATA.md are what the code and the fixtures say. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { EVENT_TYPES } from '../../src/api/stream/subscription.ts'
import { CHANNELS } from '../../src/model/event.ts'
import { venues } from '../../src/venues/index.ts'
import { fixturesOf } from '../venues/fixtures.ts'

interface Page {
  readonly path: string
  readonly text: string
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')

let made: readonly Page[]
beforeAll(() => {
  execFileSync(process.execPath, ['scripts/setup.mjs'], { cwd: root, stdio: 'ignore' })
  const program = `
    const { venuesPage } = await import('./scripts/venues-page.mjs')
    const { dataPage } = await import('./scripts/data-page.mjs')
    const { eventSchemaFiles } = await import('./scripts/event-schemas.mjs')
    console.log(JSON.stringify([await venuesPage(), await dataPage(eventSchemaFiles())]))`
  made = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, encoding: 'utf8' }),
  )
}, 120_000)

test.each(['docs/VENUES.md', 'docs/DATA.md'])('%s is what the code says', (path) => {
  expect(read(path), 'run `npm run docs`').toBe(made.find((page) => page.path === path)?.text)
})

test('every venue has a row for each of its channels, with a page and a message that shows it', () => {
  const page = read('docs/VENUES.md')
  for (const venue of venues) {
    const start = page.indexOf(`## ${venue.title}\n`)
    const section = page.slice(start, page.indexOf('\n## ', start + 1) >>> 0)
    for (const channel of CHANNELS.filter((name) => venue.channels[name] !== undefined)) {
      const row = section.split('\n').find((line) => line.startsWith(`| ${channel} |`))
      expect(row, `${venue.id} ${channel}`).toMatch(/<https:\/\/[^>]+>.*\[[a-z0-9-]+\]\(\.\.\/test\/fixtures\//)
    }
    for (const { name } of fixturesOf(venue.id)) expect(section, name).toContain(`/${name}.json)`)
  }
})

test('every type of event has a section', () => {
  const page = read('docs/DATA.md')
  for (const type of EVENT_TYPES) expect(page).toContain(`\n## \`${type}\`\n`)
})

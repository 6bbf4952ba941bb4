/** What the pages for operators name is there: files, sections, options, variables, metrics. */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { GAP_CAUSES } from '../../src/model/event.ts'
import { listOptions } from '../../src/ops/config-options.ts'
import { CONFIG_FILES, configSchemas } from '../../src/ops/config-schema.ts'
import { CONFIG_DIR_VARIABLE, VARIABLES, variablesOf } from '../../src/ops/environment.ts'
import { METRICS } from '../../src/ops/metrics-catalogue.ts'
import { venues } from '../../src/venues/index.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const schemas = configSchemas(venues)
const options = CONFIG_FILES.flatMap((file) => listOptions(schemas[file]).map(({ path }) => path))
const groups = new Set(options.map((path) => path.slice(0, path.indexOf('.'))))
/** Those of compose.yaml, of the build, and of older deployments. */
const OTHER_VARIABLES = ['API_BIND', 'BASE_IMAGE', 'REVISION', 'PYTHONPATH', 'PYTHONUNBUFFERED', 'DEMO_DATA']
const variables = [
  ...Object.entries(VARIABLES).flatMap(([variable, source]) => variablesOf({ variable, ...source })),
  CONFIG_DIR_VARIABLE,
  ...OTHER_VARIABLES,
]

/** Metrics, and what only looks like one. */
const names = [...Object.values(METRICS).map(({ name }) => name), ...GAP_CAUSES, 'marketprism_demo']

const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
const anchorsIn = (text: string): string[] => [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchorOf(title))

describe.each(['docs/RUNBOOK.md', 'docs/OPERATIONS.md'])('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8')
  const words = [...text.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word)

  test('links lead to files and sections that are there', () => {
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link)
    expect(links.length).toBeGreaterThan(5)
    for (const link of links.filter((to) => !to.startsWith('http'))) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? join(root, page) : join(root, dirname(page), path)
      expect(existsSync(target), link).toBe(true)
      if (anchor !== undefined) expect(anchorsIn(readFileSync(target, 'utf8')), link).toContain(anchor)
    }
  })

  test('options, variables and metrics exist', () => {
    for (const word of words) {
      const option = /^([a-z]+)(\.[a-z_]+)+/.exec(word)
      if (option !== null && groups.has(option[1] ?? '') && !/\.(yaml|md|mjs|sh)$/.test(option[0]))
        expect(options, word).toContain(option[0])
      const variable = /^[A-Z]+(_[A-Z]+)+/.exec(word)?.[0]
      if (variable !== undefined) expect(variables, word).toContain(variable)
      const metric = /^(marketprism|process|nodejs)_\w+$/.exec(word)?.[0]
      if (metric !== undefined) expect(names).toContain(metric)
    }
  })
})

/** Links between the pages of this repository lead somewhere. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const inFolder = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
const pages = [...readdirSync(root), ...inFolder('docs'), ...inFolder('examples')].filter((name) =>
  name.endsWith('.md'),
)

test.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, '')
  const targets = [...text.matchAll(/(?:\]\(|src="|srcset="|href=")([^)"#\s]+)/g)].map(([, target]) => target as string)
  const missing = targets.filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(page), target)))
  expect(missing).toEqual([])
})

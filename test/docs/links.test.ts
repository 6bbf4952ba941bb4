/** Links between the pages of this repository lead somewhere. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { commands } from '../../src/cli/index.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const inFolder = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
const pages = [...readdirSync(root), ...inFolder('docs'), ...inFolder('examples')].filter((name) =>
  name.endsWith('.md'),
)

const read = (page: string): string => readFileSync(join(root, page), 'utf8')

test.each(pages)('%s', (page) => {
  const text = read(page).replace(/```[\s\S]*?```/g, '')
  const targets = [...text.matchAll(/(?:\]\(|src="|srcset="|href=")([^)"#\s]+)/g)].map(([, target]) => target as string)
  const missing = targets.filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(page), target)))
  expect(missing).toEqual([])
})

test.each(['README.md', 'README.zh-CN.md'])('%s has every command', (page) => {
  for (const command of commands()) expect(read(page)).toContain(`\n| \`${command.name()}\``)
})

test('the two READMEs have the same commands, links and figures of the comparison', () => {
  const [english, chinese] = ['README.md', 'README.zh-CN.md'].map((page) => {
    const text = read(page)
    return {
      commands: [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = '']) => code.replace(/ +#.*$/gm, '')),
      links: [...text.matchAll(/\]\(([^)]+)\)/g)]
        .map(([, target]) => target)
        .filter((target) => !/README/.test(`${target}`)),
      headings: [...text.matchAll(/^#+ /gm)].map(([mark]) => mark),
      marks: text.match(/[✓◐]/g),
    }
  })
  expect(chinese).toEqual(english)
})

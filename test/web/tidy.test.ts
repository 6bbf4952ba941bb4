/** Properties of the dashboard's code: what a page that shows hostile text must never do. */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const root = new URL('../../web/', import.meta.url)
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(ts|css|html)$/.test(file))
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')

const LINES_MAX: Readonly<Record<string, number>> = { ts: 300, css: 600, html: 300 }

describe.each(files)('%s', (file) => {
  const text = read(file)

  test('is one job', () => {
    const max = LINES_MAX[file.split('.').at(-1) ?? ''] ?? 0
    expect(text.split('\n').length, `at most ${max} lines`).toBeLessThanOrEqual(max)
  })

  test('asks nobody but the service', () => {
    expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\/|@import|url\(/)
  })

  test('takes text as text', () => {
    expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser/)
    expect(text, 'scripts and styles stand in files').not.toMatch(/<script(?![^>]*src=)|<style|\sstyle="|\son\w+="/)
    expect(text).not.toMatch(/\bTODO\b|\bFIXME\b|@ts-ignore|:\s*any\s*[,;)=\]]|\bas any\b|console\./)
  })
})

test('the page knows the parts by id, and has all of them', () => {
  const ids = new Set([...read('index.html').matchAll(/\sid="([\w-]+)"/g)].map(([, id]) => id))
  const asked = files.flatMap((file) => [...read(file).matchAll(/byId\('([\w-]+)'\)/g)].map(([, id]) => id))
  expect(asked.length).toBeGreaterThan(30)
  expect(asked.filter((id) => !ids.has(id))).toEqual([])
})

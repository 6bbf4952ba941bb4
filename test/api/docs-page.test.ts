/** The OpenAPI document, and the page that shows it without asking anybody else. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, bodyOf } from './helpers/http.ts'
import { type RunningApi, startApi } from './helpers/start-api.ts'

let running: RunningApi
beforeAll(async () => {
  running = await startApi()
})
afterAll(() => running.api.stop())

const get = (path: string) => ask(running.url, path)

test('describes every endpoint with words, parameters, answers and errors', async () => {
  const document = bodyOf(await get('/openapi.json'))
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } })
  const operations = Object.values<Record<string, Record<string, unknown>>>(document.paths).flatMap((path) =>
    Object.values(path),
  )
  expect(operations).toHaveLength(21)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(21)
  for (const { summary, responses } of operations) {
    expect(summary).toMatch(/\w{2}/)
    expect(responses).toHaveProperty('200')
  }
  const { parameters, responses } = document.paths['/api/v1/collector/data'].get
  expect(parameters).toContainEqual({
    name: 'limit',
    in: 'query',
    required: false,
    description: 'Records of each category.',
    schema: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
  })
  expect(Object.keys(responses)).toEqual(['200', '400', '401', '405', '429', '500', '503'])
  expect(document.paths['/api/v1/orderbook/{venue}/{symbol}'].get.parameters[0]).toMatchObject({
    name: 'venue',
    in: 'path',
    required: true,
  })
})

test('describes the one POST: its body, its answers, and that it needs the token', async () => {
  const { get: list, post } = bodyOf(await get('/openapi.json')).paths['/api/v1/subscriptions']
  expect([list.operationId, post.operationId]).toEqual(['getSubscriptions', 'postSubscriptions'])
  expect(list.security).toEqual([{}, { token: [] }])
  expect(post.security).toEqual([{ token: [] }])
  const { schema } = post.requestBody.content['application/json']
  expect(schema.properties.add.items).toMatchObject({
    required: ['venue', 'symbol'],
    properties: { channels: { items: { enum: ['trade', 'ticker', 'quote', 'book'] } } },
  })
  expect(Object.keys(post.responses)).toEqual(['200', '400', '401', '405', '429', '500', '503'])
})

test('is always whole: conditions and ranges do not apply to what nobody may store', async () => {
  for (const headers of [{ 'if-none-match': '*' }, { range: 'bytes=0-1' }, { range: 'bytes=9999999999-' }]) {
    const answer = await ask(running.url, '/docs/static/index.css', { headers })
    expect([answer.status, answer.text.length > 100], JSON.stringify(headers)).toEqual([200, true])
  }
})

test('has no reference that leads nowhere', async () => {
  const document = bodyOf(await get('/openapi.json'))
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path ?? '')
  expect(references.length).toBeGreaterThan(0)
  for (const reference of new Set(references)) {
    expect(
      reference.split('/').reduce((node, key) => node?.[key], document),
      reference,
    ).toBeDefined()
  }
})

test('the page and all that it loads come from here, under a policy that allows nothing else', async () => {
  const page = await get('/docs')
  expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } })
  const policy = String(page.headers['content-security-policy'])
  expect(policy).toContain("default-src 'none'; script-src 'self';")
  expect(policy).not.toMatch(/https?:|\*/)
  const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '')
  expect(links.length).toBeGreaterThan(4)
  for (const link of links) {
    expect(link).toMatch(/^\/docs\/static\//)
    expect((await get(link)).status, link).toBe(200)
  }
  expect(page.text).not.toMatch(/<script(?![^>]*src=)/)
  expect(bodyOf(await get('/docs/json'))).toEqual(bodyOf(await get('/openapi.json')))
})

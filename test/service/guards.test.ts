import { expect, test } from 'vitest'
import { guards } from '../../src/service/guards.ts'

const on = (host: string, origins: string[] = [], token?: string) => guards({ host, cors_origins: origins, token })

test('loopback addresses serve local names only', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', 'localhost', '::1']) {
    const { isHostAllowed } = on(address)
    expect(
      ['localhost', 'localhost:8084', '127.0.0.1', '[::1]:1', 'LocalHost'].filter((host) => !isHostAllowed(host)),
    ).toEqual([])
    expect(
      ['evil.example', 'localhost.evil', '127.0.0.1.evil', 'xlocalhost', '::1', '', ':80', '[::2]', '1.2.3.4'].filter(
        isHostAllowed,
      ),
    ).toEqual([])
  }
})

test('other addresses serve any name', () => {
  for (const address of ['0.0.0.0', '::', '192.168.1.2', 'collector.example']) {
    expect(on(address).isHostAllowed('anything.example')).toBe(true)
  }
})

test('a stream may be opened by programs, by pages of this origin, and by listed ones', () => {
  const { mayOpenStream } = on('127.0.0.1', ['https://desk.example'])
  expect(mayOpenStream(undefined, 'localhost:8084')).toBe(true)
  expect(mayOpenStream('http://localhost:8084', 'LOCALHOST:8084')).toBe(true)
  expect(mayOpenStream('https://desk.example', 'localhost:8084')).toBe(true)
  for (const origin of [
    'http://localhost:8085',
    'http://localhost',
    'https://desk.example.evil',
    'null',
    '',
    'http://',
    'x',
  ]) {
    expect(mayOpenStream(origin, 'localhost:8084'), origin).toBe(false)
  }
  expect(mayOpenStream('http://localhost', undefined)).toBe(false)
})

test('without a token everybody may ask; with one only those who send exactly it', () => {
  expect(on('::').isTokenRight(undefined)).toBe(true)
  const { isTokenRight } = on('::', [], 'abc')
  expect(['Bearer abc', 'bearer abc', 'BEARER  abc'].map(isTokenRight)).toEqual([true, true, true])
  for (const wrong of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer ab',
    'Bearer abcd',
    'Bearer ABC',
    'Bearer abc ',
    'Basic abc',
    'abc',
  ]) {
    expect(isTokenRight(wrong), wrong).toBe(false)
  }
})

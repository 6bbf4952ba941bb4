/** Who may ask: the host's name, the page's origin, the token. Pure decisions; the gate acts on them. */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { ApiConfig } from './ports.ts'

export interface Guards {
  /** On a loopback address only local names are served, so that no web page can reach it by rebinding its own name. */
  isHostAllowed(host: string | undefined): boolean
  /** May pages of this origin read answers? */
  isOriginListed(origin: string): boolean
  /** May a browser page open a stream? Browsers let any page try. Programs send no origin. */
  mayOpenStream(origin: string | undefined, host: string | undefined): boolean
  isTokenRight(authorization: string | undefined): boolean
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i
const HOST = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/

export function guards(config: Pick<ApiConfig, 'host' | 'token' | 'cors_origins'>): Guards {
  const isLoopback = LOOPBACK.test(config.host)
  const origins = new Set(config.cors_origins)
  const expected = config.token === undefined ? undefined : digest(`Bearer ${config.token}`)
  return {
    isHostAllowed(host) {
      if (!isLoopback || host === undefined) return true
      return LOOPBACK.test(HOST.exec(host)?.[1] ?? '')
    },
    isOriginListed: (origin) => origins.has(origin),
    mayOpenStream(origin, host) {
      if (origin === undefined || origins.has(origin)) return true
      return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
    },
    isTokenRight: (authorization) =>
      expected === undefined || timingSafeEqual(expected, digest(normalScheme(authorization ?? ''))),
  }
}

/** Digests have one length, so comparing them takes the same time whatever was sent. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The scheme's name is case-insensitive. */
const normalScheme = (authorization: string): string => authorization.replace(/^bearer +/i, 'Bearer ')

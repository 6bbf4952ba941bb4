/** Protocols offered where a token is needed: browsers send no headers with a WebSocket. */
export const protocolsOf = (token: string | null): string[] =>
  token === null ? [] : ['marketprism', `bearer.${encodeToken(token)}`]

const encodeToken = (token: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(token)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')

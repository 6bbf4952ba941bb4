/** How servers know us: every way is taken, and every wrong one is refused with a word. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { nkeys } from '@nats-io/transport-node'
import { afterEach, describe, expect, test } from 'vitest'
import type { NatsSinkOptions } from '../../../src/sinks/nats/options.ts'
import { NatsServer, natsMissing } from '../../helpers/nats-server.ts'
import { batchOf, Rig, record } from './rig.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const base64 = (value: string | Uint8Array) => Buffer.from(value).toString('base64url')

/** A JWT as `nsc` makes it: the claims of NATS, signed by an nkey. https://docs.nats.io/running-a-nats-service/nats_admin/security/jwt */
function jwt(issuer: ReturnType<typeof nkeys.createAccount>, subject: string, claims: object): string {
  const head = base64(JSON.stringify({ typ: 'JWT', alg: 'ed25519-nkey' }))
  const body = base64(
    JSON.stringify({ jti: subject, iat: 1, iss: issuer.getPublicKey(), sub: subject, name: 'test', nats: claims }),
  )
  return `${head}.${body}.${base64(issuer.sign(Buffer.from(`${head}.${body}`)))}`
}

describe.skipIf(natsMissing !== undefined)('a server', () => {
  const open: (NatsServer | Rig)[] = []
  let written = 0

  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.remove()
  })

  async function start(config: string, scheme?: 'tls'): Promise<NatsServer> {
    const server = await NatsServer.start({ config, ...(scheme && { scheme }) })
    open.push(server)
    return server
  }

  function rigFor(server: NatsServer, options: Partial<NatsSinkOptions>, url = server.url): Rig {
    const rig = new Rig(url, options)
    open.push(rig)
    return rig
  }

  async function expectStored(rig: Rig): Promise<void> {
    await rig.sink.open()
    await rig.sink.write(batchOf([record(++written)]))
    expect(rig.sink.counts.acked).toBe(1)
  }

  const expectRefused = (rig: Rig) =>
    expect(rig.sink.open()).rejects.toThrow(/cannot connect to NATS .*[aA]uthorization/)
  const withUser = (server: NatsServer, user: string) => server.url.replace('//', `//${user}@`)

  test('that wants a token gets it, also from the URL', async () => {
    const server = await start('authorization { token: "s3cret" }')
    await expectStored(rigFor(server, { auth: { token: 's3cret' } }))
    await expectStored(rigFor(server, {}, withUser(server, 's3cret')))
    await expectRefused(rigFor(server, { auth: { token: 'wrong' } }))
    await expectRefused(rigFor(server, {}))
  })

  test('that wants user and password gets them, also from the URL', async () => {
    const server = await start('authorization { user: collector, password: "p@ss word" }')
    await expectStored(rigFor(server, { auth: { user: 'collector', password: 'p@ss word' } }))
    await expectStored(rigFor(server, {}, withUser(server, 'collector:p%40ss%20word')))
    await expectRefused(rigFor(server, { auth: { user: 'collector', password: 'wrong' } }))
  })

  test('that wants an nkey gets its signature', async () => {
    const user = nkeys.createUser()
    const server = await start(`authorization { users: [ { nkey: "${user.getPublicKey()}" } ] }`)
    await expectStored(rigFor(server, { auth: { nkeySeed: `${text(user.getSeed())}\n` } }))
    await expectRefused(rigFor(server, { auth: { nkeySeed: text(nkeys.createUser().getSeed()) } }))
  })

  test('that wants a JWT gets it from the credentials file', async () => {
    const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()]
    const anything = { subs: -1, data: -1, payload: -1 }
    const limits = { ...anything, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true }
    const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 }
    const accountClaims = { type: 'account', version: 2, limits: { ...limits, ...storage } }
    const accountJwt = jwt(operator, account.getPublicKey(), accountClaims)
    const userJwt = jwt(account, user.getPublicKey(), { type: 'user', version: 2, pub: {}, sub: {}, ...anything })
    const operatorJwt = jwt(operator, operator.getPublicKey(), { type: 'operator', version: 2 })
    const system = nkeys.createAccount().getPublicKey()
    const systemJwt = jwt(operator, system, { type: 'account', version: 2, limits })
    const accounts = `${account.getPublicKey()}: "${accountJwt}", ${system}: "${systemJwt}"`
    const server = await start(
      `operator: "${operatorJwt}"\nsystem_account: ${system}\nresolver: MEMORY\nresolver_preload: { ${accounts} }`,
    )
    const marked = (name: string, value: string) => `-----BEGIN ${name}-----\n${value}\n------END ${name}------\n`
    const seed = text(user.getSeed())
    const file = server.write('user.creds', marked('NATS USER JWT', userJwt) + marked('USER NKEY SEED', seed))
    await expectStored(rigFor(server, { auth: { credsFile: file } }))
    await expectRefused(rigFor(server, {}))
    const missing = rigFor(server, { auth: { credsFile: `${file}.missing` } })
    await expect(missing.sink.open()).rejects.toThrow(/there is no file .*user\.creds\.missing/)
  })

  test('that gives us one stream only is enough; what it denies is told', async () => {
    const api = ['STREAM.INFO.*', 'CONSUMER.*.MARKET_DATA.>', 'CONSUMER.MSG.NEXT.MARKET_DATA.*']
    const allowed = ['market.>', ...api.map((subject) => `$JS.API.${subject}`)]
    const users = (publish: readonly string[]) =>
      `authorization { users: [
        { user: admin, password: a },
        { user: few, password: f, permissions { publish: ${JSON.stringify(publish)}, subscribe: ["_MINE.>"] } } ] }`
    const server = await start(users(allowed))
    await expectStored(rigFor(server, { auth: { user: 'admin', password: 'a' } }))
    const few = rigFor(server, { auth: { user: 'few', password: 'f' }, inboxPrefix: '_MINE' })
    await few.sink.open()
    await few.sink.write(batchOf([record(++written)]))
    expect(few.sink.counts.acked).toBe(1)
    const other = rigFor(server, { auth: { user: 'few', password: 'f' }, inboxPrefix: '_MINE', prefix: 'other' })
    await expect(other.sink.open()).rejects.toThrow(/does not take other\.>/)
    const wrongInbox = rigFor(server, { auth: { user: 'few', password: 'f' } })
    await expect(wrongInbox.sink.open()).rejects.toThrow(/[pP]ermissions? [vV]iolation/)
  })

  test.skipIf(!hasOpenssl)('that speaks TLS, and wants to see our certificate, sees it', async () => {
    const authority = await NatsServer.start()
    open.push(authority)
    const at = (name: string) => join(authority.folder, name)
    const openssl = (...args: string[]) => {
      const result = spawnSync('openssl', args, { encoding: 'utf8' })
      expect(result.status, result.stderr).toBe(0)
    }
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    for (const name of ['server', 'client', 'stranger']) {
      openssl(
        'req',
        '-x509',
        ...key,
        '-keyout',
        at(`${name}.key`),
        '-out',
        at(`${name}.crt`),
        '-subj',
        '/CN=localhost',
        ...names,
      )
    }
    const files = `cert_file: "${at('server.crt')}", key_file: "${at('server.key')}", ca_file: "${at('client.crt')}"`
    const server = await start(`tls { ${files}, verify: true }`, 'tls')
    const tls = { caFile: at('server.crt'), certFile: at('client.crt'), keyFile: at('client.key') }
    await expectStored(rigFor(server, { tls }))
    const strange = { ...tls, certFile: at('stranger.crt'), keyFile: at('stranger.key') }
    await expect(rigFor(server, { tls: strange }).sink.open()).rejects.toThrow(/cannot connect/)
    await expect(rigFor(server, { tls: { ...tls, caFile: at('stranger.crt') } }).sink.open()).rejects.toThrow(
      /self-signed/,
    )
    await expect(rigFor(server, {}).sink.open(), 'unknown authority').rejects.toThrow(/self-signed/)
    const plain = await start('')
    await expect(rigFor(plain, { tls }).sink.open(), 'no TLS there').rejects.toThrow(/does not support 'tls'/)
  })
})

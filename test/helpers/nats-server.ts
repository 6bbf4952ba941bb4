/** The real nats-server, and whether it can be had; it is part of the proofs. */

import { natsMissing as missing, NatsServer } from '../../src/check/prove/servers/nats-server.ts'

export { NatsServer, type NatsServerOptions } from '../../src/check/prove/servers/nats-server.ts'

/** Why tests with a server of their own cannot run; `undefined`: they can. */
export const natsMissing: string | undefined = missing()

if (natsMissing !== undefined) console.warn(`Not tested with NATS: ${natsMissing}`)

/** A server that is there already, for tests that stop nothing; a stream of their own each, please. */
const GIVEN_URL = process.env.NATS_URL

/** Why tests that need any server cannot run. */
export const anyNatsMissing: string | undefined = GIVEN_URL === undefined ? natsMissing : undefined

/** The server that `NATS_URL` names, or else one of our own. */
export async function anyNats(): Promise<{ readonly url: string; remove(): Promise<void> }> {
  return GIVEN_URL === undefined ? await NatsServer.start() : { url: GIVEN_URL, remove: async () => {} }
}

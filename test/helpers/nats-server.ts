/** The real nats-server, and whether it can be had; it is part of the proofs. */

import { natsMissing as missing } from '../../src/check/prove/servers/nats-server.ts'

export { NatsServer, type NatsServerOptions } from '../../src/check/prove/servers/nats-server.ts'

/** Why tests with a server of their own cannot run; `undefined`: they can. */
export const natsMissing: string | undefined = missing()

if (natsMissing !== undefined) console.warn(`Not tested with NATS: ${natsMissing}`)

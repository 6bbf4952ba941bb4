// Reads trades from NATS JetStream: node examples/nats.mjs [nats://localhost:4222] [market.trade.>]
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'

const [servers = 'nats://localhost:4222', subject = 'market.trade.>'] = process.argv.slice(2)
const connection = await connect({ servers })
const manager = await jetstreamManager(connection)

// A durable consumer goes on where it stood, also after this program was ended.
const durable_name = 'example-trades'
await manager.consumers.add('MARKET_DATA', {
  durable_name,
  filter_subject: subject,
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.All,
})
const consumer = await jetstream(connection).consumers.get('MARKET_DATA', durable_name)
const messages = await consumer.consume()
process.once('SIGINT', () => messages.stop())

// JetStream delivers at least once: after a lost acknowledgement a message comes again, with the same id.
const seen = new Set()
for await (const message of messages) {
  const { id, venue, symbol, side, price, quantity, source } = message.json()
  if (!seen.has(id)) console.log(venue, symbol, side, quantity, '@', price, source === 'backfill' ? '(healed)' : '')
  seen.add(id)
  if (seen.size > 10_000) seen.delete(seen.values().next().value)
  message.ack()
}
await connection.close()

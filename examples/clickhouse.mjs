// The newest minutes of one symbol, and what may be missing: node examples/clickhouse.mjs [http://localhost:8123] [BTCUSDT]
import { createClient } from '@clickhouse/client'

const [url = 'http://localhost:8123', symbol = 'BTCUSDT', database = 'marketprism'] = process.argv.slice(2)
const client = createClient({ url })

async function rows(query) {
  const answer = await client.query({ query, query_params: { symbol }, format: 'JSONEachRow' })
  return answer.json()
}

// Views read with FINAL, so that an event that was inserted twice counts once. Decimals come as text: every digit.
console.table(
  await rows(`
    SELECT venue, toString(minute) AS minute, toString(open) AS open, toString(high) AS high, toString(low) AS low,
      toString(close) AS close, toString(volume) AS volume, trades
    FROM ${database}.ohlcv_1m WHERE symbol = {symbol:String} ORDER BY minute DESC LIMIT 5`),
)
console.table(
  await rows(`
    SELECT venue, channel, cause, state, toString(start_time) AS start, lost, healed
    FROM ${database}.gaps WHERE symbol = {symbol:String} ORDER BY start_time DESC LIMIT 5`),
)
await client.close()

// Spreads of one coin on all venues, live from the event stream: node examples/spread.mjs [ws://127.0.0.1:8084] [BTC]
import WebSocket from 'ws'

const [url = 'ws://127.0.0.1:8084', coin = 'BTC'] = process.argv.slice(2)
const quotes = new Map()
const socket = new WebSocket(`${url}/api/v1/stream`)

socket.on('open', () => socket.send(JSON.stringify({ op: 'subscribe', types: ['quote'] })))
socket.on('message', (data) => {
  const event = JSON.parse(data)
  if (event.type !== 'quote' || !event.instrument?.startsWith(`${coin}-`)) return
  quotes.set(`${event.venue} ${event.instrument}`, event)
})
// A client that reads too slowly is closed with 4008; what it missed is not sent again.
socket.on('close', (code) => process.exit(code === 1000 ? 0 : 1))
socket.on('error', ({ message }) => console.error(`no stream at ${url}: ${message}. Is the service running?`))

const timer = setInterval(() => {
  if (quotes.size > 0) console.table(Object.fromEntries([...quotes].sort().map(([name, quote]) => [name, row(quote)])))
}, 1_000)
process.once('SIGINT', () => {
  clearInterval(timer)
  socket.close(1000)
})

/** A side that nobody offers is absent. Basis points are a ratio: a double is enough for them. */
function row({ bid_price: bid, ask_price: ask, exchange_time_us, receive_time_us }) {
  const bps = bid && ask ? ((Number(ask) / Number(bid) - 1) * 10_000).toFixed(2) : ''
  return {
    bid,
    ask,
    'spread bps': bps,
    'age s': ((Date.now() * 1000 - (exchange_time_us ?? receive_time_us)) / 1e6).toFixed(1),
  }
}

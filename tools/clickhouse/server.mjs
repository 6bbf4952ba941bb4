// `node server.mjs FOLDER [PORT]`: ClickHouse's own engine (package `chdb`) behind as much of its HTTP interface as
// @clickhouse/client needs. Keeps its data in FOLDER, also over a kill -9. Prints `listening PORT` when it is ready.
// No users, no sessions, no compression of answers. For tests and benchmarks: a real server is faster and does more.
import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { Session } from 'chdb'

const [folder, port = '0'] = process.argv.slice(2)
if (folder === undefined) throw new Error('expected the folder for the data: node server.mjs FOLDER [PORT]')

/** URL parameters that are no settings. */
const NO_SETTINGS =
  /^(query|query_id|database|default_format|session_.*|wait_end_of_query|role|user|password|param_.*|enable_http_compression)$/
const INSERT = /^\s*INSERT INTO ([\w.]+)\s*(?:\(([^)]*)\))?\s*FORMAT (\w+)\s*$/i
const SELECT = /^\s*(SELECT|WITH)\s/i
const FORMAT_TAIL = /\sFORMAT\s+(\w+)\s*;?\s*$/i

const session = new Session(folder)

/** What a request asks for: names of settings are checked, values are quoted by whoever uses them. */
const settingsOf = (params) => [...params].filter(([name]) => !NO_SETTINGS.test(name) && /^\w+$/.test(name))

const settingsSql = (settings) =>
  settings.map(([name, value]) => `${name} = '${value.replace(/[\\']/g, '\\$&')}'`).join(', ')

const parametersOf = (params) =>
  Object.fromEntries(
    [...params].filter(([name]) => name.startsWith('param_')).map(([name, value]) => [name.slice(6), value]),
  )

/** Rows in the body go to the engine as they are. */
async function insert(params, body) {
  const [, table, columns, format] = INSERT.exec(params.get('query').replaceAll('`', '')) ?? []
  if (table === undefined)
    throw new Error('Code: 62. DB::Exception: this front reads INSERT INTO table (columns) FORMAT name. (SYNTAX_ERROR)')
  const list = columns?.split(',').map((name) => name.trim())
  const settings = Object.fromEntries(settingsOf(params))
  await session.insert({ table, format, values: body, settings, ...(list && { columns: list }) })
  return { text: '' }
}

async function query(params, sql) {
  const format = FORMAT_TAIL.exec(sql)?.[1] ?? params.get('default_format') ?? 'TabSeparated'
  const settings = SELECT.test(sql) ? settingsSql(settingsOf(params)) : ''
  const text = `${sql.replace(FORMAT_TAIL, '')}${settings === '' ? '' : ` SETTINGS ${settings}`}`
  const bound = parametersOf(params)
  const hasBound = Object.keys(bound).length > 0
  const result = await (hasBound
    ? session.queryBindAsync(text, bound, { format })
    : session.queryAsync(text, { format }))
  return { text: result.bytes(), rows: result.rowsRead }
}

async function answer(request) {
  const { pathname, searchParams: params } = new URL(request.url, 'http://localhost')
  if (pathname === '/ping') return { text: 'Ok.\n' }
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const raw = Buffer.concat(chunks)
  const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
  return params.has('query') ? insert(params, body) : query(params, body.toString())
}

const server = createServer(async (request, response) => {
  response.setHeader('X-ClickHouse-Server-Display-Name', 'chdb')
  const id = new URL(request.url, 'http://localhost').searchParams.get('query_id')
  if (id !== null) response.setHeader('X-ClickHouse-Query-Id', id)
  try {
    const { text, rows = 0 } = await answer(request)
    response.setHeader('X-ClickHouse-Summary', JSON.stringify({ read_rows: `${rows}` }))
    response.end(text)
  } catch (error) {
    const code = error.clickhouseCode ?? /Code: (\d+)/.exec(error.message)?.[1] ?? 1002
    response.writeHead(500, { 'X-ClickHouse-Exception-Code': `${code}` })
    response.end(`${error.message}\n`)
  }
})
server.keepAliveTimeout = 10_000
server.listen(Number(port), '127.0.0.1', () => process.stdout.write(`listening ${server.address().port}\n`))
process.on('SIGTERM', () => {
  server.close()
  session.close()
  process.exit(0)
})

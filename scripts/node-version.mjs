// Imported first, so that an older Node stops with a sentence and not with a syntax error.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`MarketPrism needs Node.js 20.19 or newer; this is ${process.version}. See https://nodejs.org\n`)
  process.exit(1)
}

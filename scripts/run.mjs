// `npm start`, `npm run demo`: sets up what is missing, then runs the command line in this very process, so that signals reach it.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT, setUp } from './setup.mjs'

setUp()
const main = join(ROOT, 'dist', 'main.js')
process.argv[1] = main
await import(pathToFileURL(main).href)

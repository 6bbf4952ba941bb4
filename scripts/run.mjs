// `npm start`, `npm run demo`: sets up what is missing, then runs the command line in this very process, so that signals reach it.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT, setUp } from './setup.mjs'

setUp()
const main = join(ROOT, 'dist', 'main.js')
process.argv[1] = main
followParent()
await import(pathToFileURL(main).href)

/**
 * npm passes a signal to the shell between it and us, which dies without passing it on. So when the parent is gone, the
 * service is stopped as by that signal. Supervisors should run `node dist/main.js start` instead.
 */
function followParent() {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, 250)
  timer.unref()
}

// Runs seeds that its parent names, one at a time, and tells the verdict of each.
import { isMainThread, parentPort } from 'node:worker_threads'

if (isMainThread) throw new Error('started by scripts/sim-workers.mjs')
const { judgeSeed } = await import('../dist/check/verdict.js')

let seed
// What nobody caught is a bug of the collector, as an exception in an action is.
process.on('unhandledRejection', (error) => {
  parentPort.postMessage({ seed, broken: [`crash: ${error?.stack ?? error}`], brokenCount: 1, promises: { crash: 1 } })
})
parentPort.on('message', async (next) => {
  seed = next
  const message = await judgeSeed(seed)
  parentPort.postMessage(message)
})
parentPort.postMessage(undefined)

import type { OutgoingFrame, SocketLimits, Topic } from './venue.ts'

type RequestLimits = Pick<SocketLimits, 'topicsPerRequestMax' | 'sendBytesMax'>

/** Bytes around the topics of a request, and around each topic (quotes, comma, key names of the longest venue). */
const REQUEST_BYTES = 120
const TOPIC_BYTES = 48

/** Topics cut into requests that keep the venue's limits on topics and bytes in one frame. */
export function inBatches(topics: readonly Topic[], limits: RequestLimits): Topic[][] {
  const batches: Topic[][] = []
  let batch: Topic[] = []
  let bytes = REQUEST_BYTES
  for (const topic of topics) {
    const size = Buffer.byteLength(topic.name) + TOPIC_BYTES
    if (batch.length > 0 && (batch.length >= limits.topicsPerRequestMax || bytes + size > limits.sendBytesMax)) {
      batches.push(batch)
      batch = []
      bytes = REQUEST_BYTES
    }
    batch.push(topic)
    bytes += size
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

/** A request for each batch of topics. `encode`: the request in the venue's words, to be sent as JSON. */
export function requestFrames(
  topics: readonly Topic[],
  limits: RequestLimits,
  nextId: () => string,
  encode: (requestId: string, names: readonly string[]) => unknown,
): OutgoingFrame[] {
  return inBatches(topics, limits).map((batch) => {
    const requestId = nextId()
    const names = batch.map(({ name }) => name)
    return { requestId, topics: batch, text: JSON.stringify(encode(requestId, names)) }
  })
}

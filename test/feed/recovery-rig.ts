/** The rig of one venue's feed, and what the venues of these tests say. */

import { createRig, type Rig } from './rig.ts'

export const okxBook = (symbol: string, action: string, prevSeqId: number, seqId: number, checksum = 0) => ({
  arg: { channel: 'books', instId: symbol },
  action,
  data: [
    { asks: [['1.1', '3', '0', '1']], bids: [['1.0', '2', '0', '1']], ts: '1795392000100', prevSeqId, seqId, checksum },
  ],
})

export const okxTrade = (symbol: string, id: number) => ({
  arg: { channel: 'trades', instId: symbol },
  data: [{ instId: symbol, tradeId: String(id), px: '1.5', sz: '2', side: 'buy', ts: '1795392000100' }],
})

export interface OkxFrame {
  readonly id: string
  readonly op: string
  readonly args: readonly { readonly channel: string; readonly instId: string }[]
}

export interface RecoveryRig extends Rig {
  /** What was sent on the newest connection. */
  okxFrames(): OkxFrame[]
  okxAck(frame: OkxFrame): void
  okxAckAll(): void
  /** Confirms the newest request. */
  binanceAck(): void
  depthRequests(): number
  /** `seconds` pass; `each` is called at the start of every one. */
  pass(seconds: number, each?: (second: number) => void): Promise<void>
}

export function createRecoveryRig(): RecoveryRig {
  const rig = createRig()
  const { world } = rig
  const okxFrames = () => world.peer.frames as unknown as OkxFrame[]
  const okxAck = ({ id, op, args }: OkxFrame) => world.peer.message({ event: op, id, arg: args[0], connId: 'x' })
  return {
    ...rig,
    okxFrames,
    okxAck,
    okxAckAll() {
      for (const frame of okxFrames()) okxAck(frame)
    },
    binanceAck: () => world.peer.message({ result: null, id: world.peer.frames.at(-1)?.id }),
    depthRequests: () => world.requests.filter(({ url }) => url.includes('/depth')).length,
    async pass(seconds, each = () => {}) {
      for (let second = 0; second < seconds; second++) {
        world.peer.pong()
        each(second)
        await world.clock.advance(1_000)
      }
    },
  }
}

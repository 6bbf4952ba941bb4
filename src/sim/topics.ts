import type { SimPeer } from './exchange.ts'

/** What a connection's session does with a push. It may end the connection. */
export type Listener = Pick<SimPeer, 'send'>

/** Who listens to what. `name` is the venue's name of one stream of one symbol. */
export interface Topics {
  has(name: string): boolean
  /** False if the listener is there already. */
  add(name: string, listener: Listener): boolean
  /** False if the listener was not there. */
  remove(name: string, listener: Listener): boolean
  /** Removes the listener everywhere. */
  leave(listener: Listener): void
  publish(name: string, topic: Parameters<SimPeer['send']>[0], text: string): void
}

export function createTopics(): Topics {
  const rooms = new Map<string, Set<Listener>>()
  function remove(name: string, listener: Listener): boolean {
    const room = rooms.get(name)
    if (!room?.delete(listener)) return false
    if (room.size === 0) rooms.delete(name)
    return true
  }
  return {
    has: (name) => rooms.has(name),
    add(name, listener) {
      const room = rooms.get(name) ?? new Set()
      rooms.set(name, room)
      if (room.has(listener)) return false
      room.add(listener)
      return true
    },
    remove,
    leave(listener) {
      for (const name of [...rooms.keys()]) remove(name, listener)
    },
    publish(name, topic, text) {
      // A copy, because a listener may leave meanwhile.
      for (const listener of [...(rooms.get(name) ?? [])]) listener.send(topic, text)
    },
  }
}

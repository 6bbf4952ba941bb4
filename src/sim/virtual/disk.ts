/** A disk in memory that loses what a real one loses: nothing when a process is killed, what was not synced when the power fails. */

import { dirname } from 'node:path'
import type { AppendFile, DataFile, Files, Random } from '../../platform/platform.ts'
import { type DiskFault, diskError, systemError } from './disk-fault.ts'
import { Inode } from './inode.ts'
import type { Scope, VirtualLoop } from './loop.ts'

/** A file that takes so long may not be written when a process ends. */
const SLOW_MS = 1_000
/** What waited for it comes right behind it. */
const NEXT_MS = 100
/** Who found the disk failing tries again after a while. */
const TROUBLE_MS = 6_000

type Later = <R>(delayMs: number, operation: string, path: string, act: () => R) => Promise<R>

export class VirtualDisk {
  /** How long it takes. */
  readonly delaysMs = { read: 1, write: 0.1, sync: 0.5, replace: 3 }
  /** What goes wrong now. */
  readonly faults = new Set<DiskFault>()
  /** Bytes that all files together may have. */
  capacityBytes = Number.POSITIVE_INFINITY
  /** Told of each asynchronous operation just before it happens; by throwing it lets it fail. */
  onOperation: (operation: string, path: string) => void = () => {}
  /** Told of each text that became durable. */
  onDurable: (path: string, text: string) => void = () => {}
  /** When it last failed. */
  #failedMs = Number.NEGATIVE_INFINITY
  /** Until when something is under way that takes so long. */
  #slowUntilMs = Number.NEGATIVE_INFINITY
  readonly #loop: VirtualLoop
  readonly #random: Random
  #names = new Map<string, Inode>()
  #durableNames = new Map<string, Inode>()
  /** Changes of names since the last sync of their folder, oldest first. */
  #changes: { readonly path: string; readonly inode: Inode | undefined }[] = []

  constructor(loop: VirtualLoop, random: Random) {
    this.#loop = loop
    this.#random = random
  }

  /** The bytes of a file as a process reads them. */
  bytes(path: string): Buffer | undefined {
    return this.#names.get(path)?.read()
  }

  text(path: string): string | undefined {
    return this.bytes(path)?.toString()
  }

  get paths(): readonly string[] {
    return [...this.#names.keys()]
  }

  /** It fails, or has failed so lately that a process may not have written again what it refused. */
  get isTroubled(): boolean {
    return this.faults.size > 0 || this.#loop.nowMs - this.#failedMs < TROUBLE_MS
  }

  /** What a process has just learned may not be on it. */
  get isSlow(): boolean {
    return this.delaysMs.replace >= SLOW_MS || this.#loop.nowMs <= this.#slowUntilMs
  }

  get usedBytes(): number {
    let bytes = 0
    for (const inode of new Set(this.#names.values())) bytes += inode.size
    return bytes
  }

  /** A file as someone else left it; on disk at once. */
  put(path: string, bytes: Uint8Array): void {
    this.#setDurable(path, new Inode(Buffer.from(bytes)))
  }

  /** As if someone else had removed it; at once. */
  drop(path: string): void {
    this.#names.delete(path)
    this.#durableNames.delete(path)
  }

  /**
   * What was not synced is gone, but for a part that happened to be written; the end of it may be torn. Of the names that
   * were made, changed and removed, the first few are on disk.
   */
  losePower(): void {
    const changes = this.#changes.splice(0)
    const survivors = Math.floor(this.#random() * (changes.length + 1))
    for (const { path, inode } of changes.slice(0, survivors)) setName(this.#durableNames, path, inode)
    this.#names = new Map(this.#durableNames)
    for (const inode of new Set(this.#names.values())) inode.losePower(this.#random)
  }

  /** The disk as a process sees it: what it asks is answered only while it lives. */
  files(scope: Scope): Files {
    const later: Later = (delayMs, operation, path, act) => this.#later(scope, delayMs, operation, path, act)
    return {
      read: (path) => later(this.delaysMs.read, 'read', path, () => this.text(path)),
      replace: (path, text) =>
        later(this.delaysMs.replace, 'replace', path, () => {
          this.#fail('full', 'error', 'sync')
          this.#setDurable(path, new Inode(Buffer.from(text)))
          this.#syncNames(dirname(path))
          this.onDurable(path, text)
        }),
      append: (path) => this.#append(path),
      list: (folder) => later(this.delaysMs.read, 'list', folder, () => this.#list(folder)),
      makeFolder: (folder) => later(this.delaysMs.write, 'makeFolder', folder, () => this.#fail('error')),
      size: (path) => later(this.delaysMs.write, 'size', path, () => this.#names.get(path)?.size),
      readAt: (path, at, bytes) =>
        later(this.delaysMs.read, 'readAt', path, () => {
          this.#fail('read')
          return this.#existing(path, 'open')
            .read()
            .subarray(at, at + bytes)
        }),
      create: (path) => later(this.delaysMs.write, 'create', path, () => this.#create(path, later)),
      truncate: (path, bytes) =>
        later(this.delaysMs.sync, 'truncate', path, () => {
          this.#fail('error')
          this.#existing(path, 'open').truncate(bytes)
        }),
      rename: (from, to) =>
        later(this.delaysMs.write, 'rename', from, () => {
          this.#fail('error')
          this.#change(to, this.#existing(from, 'rename'))
          this.#change(from, undefined)
        }),
      remove: (path) =>
        later(this.delaysMs.write, 'remove', path, () => {
          this.#fail('error')
          this.#existing(path, 'unlink')
          this.#change(path, undefined)
        }),
      // Folders are where their files are: none is ever empty.
      removeFolder: (folder) => later(this.delaysMs.write, 'removeFolder', folder, () => this.#fail('error')),
      syncFolder: (folder) =>
        later(this.delaysMs.sync, 'syncFolder', folder, () => {
          this.#fail('sync')
          this.#syncNames(folder)
        }),
      freeBytes: (folder) =>
        later(this.delaysMs.write, 'freeBytes', folder, () => Math.max(0, this.capacityBytes - this.usedBytes)),
    }
  }

  #append(path: string): AppendFile {
    this.#fail('error')
    const inode = this.#names.get(path) ?? new Inode(Buffer.alloc(0))
    // Such files are made by `replace` or synced when they are made: their names are not what is tested.
    if (!this.#names.has(path)) this.#setDurable(path, inode)
    return {
      get size() {
        return inode.size
      },
      append: (text) => this.#write(inode, Buffer.from(text)),
      sync: () => {
        const synced = inode.sync(inode.writes, this.faults.has('sync'))
        this.#fail('sync')
        if (synced.length > 0) this.onDurable(path, synced.toString())
      },
      close() {},
    }
  }

  #create(path: string, later: Later): DataFile {
    this.#fail('error')
    if (this.#names.has(path)) throw systemError('EEXIST', 'file already exists', `open '${path}'`)
    const inode = new Inode(Buffer.alloc(0))
    this.#change(path, inode)
    return {
      append: (parts) => {
        const bytes = Buffer.concat(parts)
        // A process that is killed while it writes has written a part.
        const early = bytes.subarray(0, Math.floor(this.#random() * (bytes.length + 1)))
        const isFaulty = this.faults.size > 0 || this.usedBytes + bytes.length > this.capacityBytes
        if (!isFaulty) inode.write(early)
        return later(this.delaysMs.write, 'append', path, () =>
          this.#write(inode, isFaulty ? bytes : bytes.subarray(early.length)),
        )
      },
      sync: () => {
        const { writes } = inode
        return later(this.delaysMs.sync, 'sync', path, () => {
          inode.sync(writes, this.faults.has('sync'))
          this.#fail('sync')
        })
      },
      close: () => later(this.delaysMs.write, 'close', path, () => {}),
    }
  }

  #write(inode: Inode, bytes: Buffer): void {
    const isTorn = this.faults.has('full') || this.faults.has('error')
    const room = this.capacityBytes - this.usedBytes
    // A write that fails may have taken a part.
    const taken = isTorn ? Math.floor(this.#random() * bytes.length) : Math.min(bytes.length, Math.max(0, room))
    inode.write(bytes.subarray(0, taken))
    this.#fail('full', 'error')
    if (taken < bytes.length) throw diskError('full')
  }

  #list(folder: string): string[] {
    this.#fail('error')
    const below = [...this.#names.keys()].filter((path) => path.startsWith(`${folder}/`))
    return [...new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0] as string))]
  }

  #existing(path: string, call: string): Inode {
    const inode = this.#names.get(path)
    if (inode === undefined) throw systemError('ENOENT', 'no such file or directory', `${call} '${path}'`)
    return inode
  }

  #change(path: string, inode: Inode | undefined): void {
    setName(this.#names, path, inode)
    this.#changes.push({ path, inode })
  }

  #setDurable(path: string, inode: Inode): void {
    this.#names.set(path, inode)
    this.#durableNames.set(path, inode)
  }

  #syncNames(folder: string): void {
    const isIn = ({ path }: { path: string }): boolean => dirname(path) === folder
    for (const { path, inode } of this.#changes.filter(isIn)) setName(this.#durableNames, path, inode)
    this.#changes = this.#changes.filter((change) => !isIn(change))
  }

  #fail(...kinds: readonly DiskFault[]): void {
    for (const kind of kinds) {
      if (!this.faults.has(kind)) continue
      this.#failedMs = this.#loop.nowMs
      throw diskError(kind)
    }
  }

  #later<R>(scope: Scope, delayMs: number, operation: string, path: string, act: () => R): Promise<R> {
    return new Promise((resolve, reject) => {
      const answer = () => {
        try {
          this.onOperation(operation, path)
          // Whoever is told may end the process: then it did not happen.
          if (scope.isAlive) resolve(act())
        } catch (error) {
          reject(error)
        }
      }
      const atMs = this.#loop.nowMs + delayMs
      if (delayMs >= SLOW_MS) this.#slowUntilMs = Math.max(this.#slowUntilMs, atMs + NEXT_MS)
      this.#loop.at(atMs, scope, answer, true)
    })
  }
}

function setName(names: Map<string, Inode>, path: string, inode: Inode | undefined): void {
  if (inode === undefined) names.delete(path)
  else names.set(path, inode)
}

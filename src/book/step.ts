import type { BookDelta, BookReason, BookSnapshot, BookState } from '../model/event.ts'

export type BookOutput = BookSnapshot | BookDelta | BookState

export interface BookStep {
  /** To publish, in order. The book already stands behind the last of them. */
  readonly emit: readonly BookOutput[]
  /** Set when the book cannot go on alone: fetch a snapshot, or subscribe anew so that the venue sends one. */
  readonly need?: BookReason | undefined
  /** The message changed nothing: repeated, older than the book, or came while no book was there. */
  readonly isIgnored?: boolean
  /** The venue's book has moved on from one snapshot to the next, and the stream has brought nothing: it is dead. */
  readonly isDeaf?: boolean
}

export const NOTHING: BookStep = { emit: [] }
export const IGNORED: BookStep = { emit: [], isIgnored: true }

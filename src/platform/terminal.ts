/** A terminal as a program sees it: keys, size, a second screen. */

import type { ReadStream, WriteStream } from 'node:tty'

/** The second screen, without a cursor; and back. */
const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const END_OF_LINE = '\u001b[K'
const END_OF_SCREEN = '\u001b[J'

export interface Terminal {
  readonly width: number
  readonly height: number
  /** Shows these lines in place of the last ones; what does not fit is left out. */
  show(lines: readonly string[]): void
  /** Gives the terminal back as it was. May be called twice. */
  leave(): void
}

export interface TerminalHandlers {
  /** One key, or what was pasted at once. */
  key(text: string): void
  resized(): void
}

/** Takes over the terminal until `leave`, which also happens when the process exits. */
export function openTerminal(input: ReadStream, output: WriteStream, handlers: TerminalHandlers): Terminal {
  let isOpen = true
  const onKey = (bytes: Buffer) => handlers.key(bytes.toString())
  const leave = () => {
    if (!isOpen) return
    isOpen = false
    output.off('resize', handlers.resized)
    process.off('exit', leave)
    if (input.isTTY) {
      input.off('data', onKey).setRawMode(false)
      input.pause()
    }
    output.write(LEAVE)
  }
  if (input.isTTY) input.setRawMode(true).on('data', onKey)
  output.on('resize', handlers.resized)
  process.on('exit', leave)
  output.write(ENTER)
  return {
    get width() {
      return output.columns
    },
    get height() {
      return output.rows
    },
    show(lines) {
      // A terminal that takes nothing (stopped with Ctrl-S, a dead link) gets the next picture, not all of them.
      if (!isOpen || output.writableNeedDrain) return
      const shown = lines.slice(0, output.rows).map((line) => line + END_OF_LINE)
      output.write(HOME + shown.join('\r\n') + END_OF_SCREEN)
    },
    leave,
  }
}

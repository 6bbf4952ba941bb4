/** A table of any number of rows of which only those in sight exist in the page. */

import { el } from '../core/dom.ts'
import { onFrame } from '../core/frame.ts'

export interface Column {
  readonly title: string
  readonly class?: string
}

export interface TableOptions<Row> {
  readonly box: HTMLElement
  readonly columns: readonly Column[]
  readonly rowPx: number
  /** Makes the content of a cell, once for each row in sight. */
  readonly make: (cells: readonly HTMLElement[]) => void
  readonly fill: (cells: readonly HTMLElement[], row: Row, node: HTMLElement) => void
  /** Rows that can be chosen, by click or Enter. */
  readonly onChoose?: (row: Row) => void
  /** Shown when there are no rows. */
  readonly empty: string
}

/** Rows above and below what is in sight, so that scrolling shows no hole. */
const SPARE = 4

export class VirtualTable<Row> {
  readonly #options: TableOptions<Row>
  readonly #body = el('tbody')
  readonly #above = el('tr', { attrs: { 'aria-hidden': 'true' } }, el('td'))
  readonly #below = el('tr', { attrs: { 'aria-hidden': 'true' } }, el('td'))
  readonly #table: HTMLElement
  readonly #empty: HTMLElement
  #nodes: { readonly node: HTMLElement; readonly cells: readonly HTMLElement[] }[] = []
  #rows: readonly Row[] = []
  #first = 0
  readonly #draw = onFrame(() => this.#render())

  constructor(options: TableOptions<Row>) {
    this.#options = options
    const head = options.columns.map(({ title, class: name = '' }) =>
      el('th', { text: title, class: name, attrs: { scope: 'col' } }),
    )
    this.#table = el('table', { class: 'rows' }, el('thead', {}, el('tr', {}, ...head)), this.#body)
    this.#empty = el('p', { class: 'empty', text: options.empty })
    options.box.append(this.#table, this.#empty)
    options.box.addEventListener('scroll', this.#draw, { passive: true })
    new ResizeObserver(this.#draw).observe(options.box)
  }

  set rows(rows: readonly Row[]) {
    this.#rows = rows
    this.#options.box.style.setProperty('--rows-px', `${rows.length * this.#options.rowPx}px`)
    this.#table.setAttribute('aria-rowcount', String(rows.length + 1))
    this.#draw()
  }

  /** Fills the rows in sight anew. */
  refresh(): void {
    this.#draw()
  }

  #render(): void {
    const { box, rowPx } = this.#options
    this.#empty.hidden = this.#rows.length > 0
    this.#table.hidden = this.#rows.length === 0
    const inSight = Math.ceil(box.clientHeight / rowPx) + 2 * SPARE
    const count = Math.min(this.#rows.length, inSight)
    const highest = Math.max(0, this.#rows.length - count)
    this.#first = Math.min(highest, Math.max(0, Math.floor(box.scrollTop / rowPx) - SPARE))
    this.#fit(count)
    this.#space(this.#above, this.#first)
    this.#space(this.#below, this.#rows.length - this.#first - count)
    this.#nodes.forEach(({ node, cells }, index) => {
      const row = this.#rows[this.#first + index]
      if (row === undefined) return
      node.setAttribute('aria-rowindex', String(this.#first + index + 2))
      this.#options.fill(cells, row, node)
    })
  }

  #space(row: HTMLElement, rows: number): void {
    row.style.height = `${rows * this.#options.rowPx}px`
    row.hidden = rows === 0
  }

  #fit(count: number): void {
    if (this.#nodes.length === count && this.#body.firstChild === this.#above) return
    while (this.#nodes.length < count) this.#nodes.push(this.#makeRow(this.#nodes.length))
    this.#nodes.length = count
    this.#body.replaceChildren(this.#above, ...this.#nodes.map(({ node }) => node), this.#below)
  }

  #makeRow(index: number) {
    const { columns, make, onChoose } = this.#options
    const cells = columns.map(({ class: name = '' }) => el('td', { class: name }))
    make(cells)
    const node = el('tr', {}, ...cells)
    if (onChoose !== undefined) {
      const choose = (): void => {
        const row = this.#rows[this.#first + index]
        if (row !== undefined) onChoose(row)
      }
      node.tabIndex = 0
      node.addEventListener('click', choose)
      node.addEventListener('keydown', ({ key }) => {
        if (key === 'Enter') choose()
      })
    }
    return { node, cells }
  }
}

/** Small tools for the page. Whatever comes from outside is text and only ever becomes text. */

type Tag = keyof HTMLElementTagNameMap
type Child = Node | string

interface Options {
  readonly class?: string
  readonly text?: string
  readonly title?: string
  readonly attrs?: Readonly<Record<string, string>>
}

export function el<Name extends Tag>(
  name: Name,
  options: Options = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const node = document.createElement(name)
  if (options.class !== undefined) node.className = options.class
  if (options.text !== undefined) node.textContent = options.text
  if (options.title !== undefined) node.title = options.title
  for (const [key, value] of Object.entries(options.attrs ?? {})) node.setAttribute(key, value)
  node.append(...children)
  return node
}

/** Errors: throws when the page has no such element. */
export function byId(id: string): HTMLElement {
  const node = document.getElementById(id)
  if (node === null) throw new Error(`the page has no element '${id}'`)
  return node
}

const shown = new WeakMap<Node, string>()

/** Touches the page only where the text is another one. */
export function setText(node: Node, text: string): void {
  if (shown.get(node) === text) return
  shown.set(node, text)
  node.textContent = text
}

/** A decimal with all its digits; the zeros at its end are there, but do not shout. */
export function setDecimal(node: HTMLElement, text: string): void {
  if (shown.get(node) === text) return
  shown.set(node, text)
  const zeros = /\.\d*?(0+)$/.exec(text)?.[1] ?? ''
  node.replaceChildren(text.slice(0, text.length - zeros.length), ...(zeros === '' ? [] : [el('i', { text: zeros })]))
}

export function setData(node: HTMLElement, key: string, value: string): void {
  if (node.dataset[key] !== value) node.dataset[key] = value
}

export function setTitle(node: HTMLElement, text: string): void {
  if (node.title !== text) node.title = text
}

/** As many children as there are entries: made by `make`, filled by `fill`. */
export function fillList<Entry>(
  parent: HTMLElement,
  entries: readonly Entry[],
  make: () => HTMLElement,
  fill: (node: HTMLElement, entry: Entry) => void,
): void {
  while (parent.children.length > entries.length) parent.lastElementChild?.remove()
  while (parent.children.length < entries.length) parent.append(make())
  entries.forEach((entry, index) => {
    fill(parent.children[index] as HTMLElement, entry)
  })
}

/** A word with a mark, so that no state is told by its colour alone. */
export function chip(): HTMLElement {
  return el('span', { class: 'chip' })
}

export function setChip(node: HTMLElement, tone: string, text: string, title = ''): void {
  setData(node, 'tone', tone)
  setText(node, text)
  setTitle(node, title)
}

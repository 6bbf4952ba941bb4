/** A group of buttons of which one is pressed. */
export function choice(group: HTMLElement, onChoose: (value: string) => void): void {
  const buttons = [...group.querySelectorAll('button')]
  group.addEventListener('click', ({ target }) => {
    const button = buttons.find((each) => each === target)
    if (button === undefined) return
    for (const each of buttons) each.setAttribute('aria-pressed', String(each === button))
    onChoose(button.dataset.value ?? '')
  })
}

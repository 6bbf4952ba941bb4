/** The top of the page: connection, simulated or not, theme, token. */

import type { Words } from '../core/connection.ts'
import { byId, setData, setText } from '../core/dom.ts'
import { applyTheme, nextTheme, storedTheme } from '../core/theme.ts'

const NAMES = { auto: 'Auto', light: 'Light', dark: 'Dark' } as const

export function createHead(onToken: (token: string) => void) {
  const button = byId('theme')
  let theme = storedTheme()
  const showTheme = (): void => {
    applyTheme(theme)
    setText(button, NAMES[theme])
    button.setAttribute('aria-label', `Theme: ${NAMES[theme]}. Press for another.`)
  }
  button.addEventListener('click', () => {
    theme = nextTheme(theme)
    showTheme()
  })
  showTheme()
  const form = byId('token')
  const input = byId('token-text') as HTMLInputElement
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    onToken(input.value)
  })
  markSections()
  return {
    connection({ phase, tone, short, long }: Words): void {
      const pill = byId('connection')
      setData(document.body, 'phase', phase)
      setData(pill, 'tone', tone)
      setText(pill, short)
      const banner = byId('banner')
      banner.hidden = long === '' || phase === 'token'
      setData(banner, 'tone', tone)
      setText(banner, phase === 'lost' ? `Disconnected. ${long}` : long)
      if (form.hidden !== (phase !== 'token')) form.hidden = phase !== 'token'
    },
    tokenProblem: (text: string) => setText(byId('token-problem'), text),
    environment(name: string): void {
      byId('simulated').hidden = name !== 'simulation'
      document.title = name === 'simulation' ? 'MarketPrism (simulated)' : 'MarketPrism'
    },
  }
}

/** Marks the section that is looked at. */
function markSections(): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>('.sections a')]
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue
        for (const link of links) link.toggleAttribute('aria-current', link.hash === `#${target.id}`)
      }
    },
    { rootMargin: '-30% 0px -60%' },
  )
  for (const { hash } of links) watch.observe(byId(hash.slice(1)))
}

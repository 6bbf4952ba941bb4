/** Light, dark, or as the system says; and the colours that the canvases take from the style sheet. */

import { remember, remembered } from './memory.ts'

const KEY = 'marketprism.theme'
const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const root = document.documentElement
const listeners = new Set<() => void>()
const colours = new Map<string, string>()

export function storedTheme(): Theme {
  const stored = remembered('localStorage', KEY)
  return THEMES.find((theme) => theme === stored) ?? 'auto'
}

export function applyTheme(theme: Theme): void {
  remember('localStorage', KEY, theme)
  root.dataset.theme = theme
  changed()
}

export const nextTheme = (theme: Theme): Theme => THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto'

export function onTheme(listener: () => void): void {
  listeners.add(listener)
}

/** The value of a registered colour of the style sheet, as it is now. */
export function colour(name: string): string {
  let value = colours.get(name)
  if (value === undefined) {
    value = getComputedStyle(root).getPropertyValue(name)
    colours.set(name, value)
  }
  return value
}

function changed(): void {
  colours.clear()
  for (const listener of listeners) listener()
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed)

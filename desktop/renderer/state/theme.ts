export type Theme = 'system' | 'light' | 'dark'
const key = 'openclaw-theme'

/** The theme chosen last, from this browser, so that the first paint is right; the theme of the settings wins. */
export function rememberedTheme(): Theme {
  const value = localStorage.getItem(key)
  return value === 'light' || value === 'dark' ? value : 'system'
}

export function applyTheme(theme: Theme): void {
  localStorage.setItem(key, theme)
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

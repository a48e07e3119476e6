import { Parser } from 'htmlparser2'

/**
 * What a page wants of somebody who is not signed in. All of it is the service's text: data, and nothing to act on.
 * @param isLogin is an address that of the login page? It is given an absolute address.
 * @returns in a few words; null: nothing of the kind
 */
export function asksToSignIn(
  html: string,
  url: URL,
  isLogin: (address: URL) => boolean,
): string | null {
  let found: string | null = null
  const leadsToLogin = (address: string | undefined): boolean =>
    address !== undefined && URL.canParse(address, url.href) && isLogin(new URL(address, url))
  const parser = new Parser({
    onopentag: (name, attributes) => {
      if (name === 'input' && attributes['type']?.toLowerCase() === 'password')
        found ??= 'with a form that asks for a password'
      else if (name === 'input' && attributes['autocomplete']?.toLowerCase() === 'one-time-code')
        found ??= 'with a form that asks for a code'
      else if (name === 'form' && leadsToLogin(attributes['action']))
        found ??= 'with a form of its login page'
      else if (name === 'meta' && attributes['http-equiv']?.toLowerCase() === 'refresh')
        if (leadsToLogin(/\burl\s*=\s*["']?([^"']+)/i.exec(attributes['content'] ?? '')?.[1]))
          found ??= 'with a page that leads to its login page'
    },
  })
  parser.end(html)
  return found
}

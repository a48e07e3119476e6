// What the browser shows when it comes back. No script, no style, and nothing of what the browser sent.

interface CallbackPage {
  readonly status: number
  readonly title: string
  readonly text: string
}

export const callbackPages = {
  granted: {
    status: 200,
    title: 'Access received',
    text: 'You can close this page. HQ sends the token to the host now.',
  },
  refused: {
    status: 400,
    title: 'Not accepted',
    text: 'HQ did not accept this sign-in, and stored nothing. HQ says why.',
  },
  wrongMethod: {
    status: 405,
    title: 'Not accepted',
    text: 'HQ takes no form here. Nothing was stored.',
  },
  wrongHost: {
    status: 421,
    title: 'Not accepted',
    text: 'The request was meant for another host. Nothing was stored.',
  },
  wrongPath: {
    status: 404,
    title: 'Not found',
    text: 'There is no such page. Nothing was stored.',
  },
  wrongState: {
    status: 400,
    title: 'Not accepted',
    text: 'This is not the answer to the sign-in that HQ started. Nothing was stored.',
  },
  second: {
    status: 409,
    title: 'Received already',
    text: 'HQ has received the answer to this sign-in already. This one was not used.',
  },
  over: {
    status: 410,
    title: 'This sign-in has ended',
    text: 'HQ waits for it no longer. Nothing was stored. Start it again in HQ.',
  },
} as const satisfies Record<string, CallbackPage>

export type CallbackPageName = keyof typeof callbackPages

export const callbackHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  // The address holds the code.
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  connection: 'close',
} as const

export const callbackHtml = ({ title, text }: CallbackPage): string =>
  [
    '<!doctype html>',
    `<html lang="en"><meta charset="utf-8"><title>${title}</title>`,
    '<meta name="viewport" content="width=device-width">',
    `<h1>${title}</h1><p>${text}</p></html>`,
  ].join('\n')

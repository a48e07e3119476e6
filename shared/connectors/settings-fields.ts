import { z } from 'zod'
import { isLoopbackHostname } from '../net/hostnames.ts'

/** Where a secret is sent: TLS, or this machine itself. */
export const peerUrl = z.url().refine((text) => {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password, search, hash } = new URL(text)
  return (
    (protocol === 'https:' || (protocol === 'http:' && isLoopbackHostname(hostname))) &&
    username === '' &&
    password === '' &&
    search === '' &&
    hash === ''
  )
}, 'must be https, or http to this machine itself, without user, query and fragment')

export const hostname = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/,
    'must be a host name in lower case, without scheme and port',
  )

export const urlPath = z.string().regex(/^\/[^\s?#]*$/, 'must be a path that starts with /')

export const timeoutSeconds = z
  .number()
  .int()
  .min(1)
  .max(60)
  .default(20)
  .describe('Time limit of one check, seconds.')

import type { ReactElement } from 'react'
import { hostAddressProblem } from '#shared/net/host-address'
import { Field } from './field.tsx'

/** What a person enters of a host. */
export interface HostEntry {
  readonly name: string
  readonly url: string
  /** Empty: the one that is kept stays. */
  readonly token: string
}

/** What `settings.set_host` and `hosts.add` take for it. */
export const hostInput = ({
  name,
  url,
  token,
}: HostEntry): { name: string; url: string; token?: string } => ({
  name: name.trim(),
  url: url.trim(),
  ...(token === '' ? {} : { token }),
})

/** Why HQ would not accept this address; null: it would, or none was entered yet. */
export const addressProblemOf = ({ url }: HostEntry): string | null =>
  url.trim() === '' ? null : hostAddressProblem(url.trim())

/** Name, address and admin token of a host. The token goes one way: it is never shown again. */
export function HostFields({
  entry,
  onChange,
  problem,
  tokenHint,
  tokenNote,
}: {
  entry: HostEntry
  onChange: (entry: HostEntry) => void
  /** Of the address. */
  problem: string | null
  tokenHint: string
  tokenNote?: string
}): ReactElement {
  const set =
    (field: keyof HostEntry) =>
    (value: string): void =>
      onChange({ ...entry, [field]: value })
  return (
    <>
      <Field label="Name" value={entry.name} onChange={set('name')} placeholder="aiops-1" />
      <Field
        label="Address"
        value={entry.url}
        onChange={set('url')}
        type="url"
        placeholder="https://aiops-1.example.ts.net"
        problem={problem}
      />
      <Field
        label="Admin token"
        value={entry.token}
        onChange={set('token')}
        type="password"
        placeholder={tokenHint}
        {...(tokenNote === undefined ? {} : { description: tokenNote })}
      />
    </>
  )
}

/** Hint of the token's field while a token is kept. */
export const tokenKept = 'Set; type to replace it'

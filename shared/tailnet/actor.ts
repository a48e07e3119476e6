// Who started something, as one line of text: it is recorded in runs, logs and maintenance, and shown as it is.

/** What Tailscale says of the node behind a request. */
export interface Caller {
  /** Login of the user who owns the node; null for a tagged node, which has no user. */
  readonly login: string | null
  /** The user's name for people. */
  readonly name: string | null
  /** Full name of the node, without the dot at its end. */
  readonly node: string | null
  /** `tag:…`; empty for a node of a user. */
  readonly tags: readonly string[]
  /** Address of the tailnet that the request came from. */
  readonly address: string | null
}

/** The actor where no person is known: a program of the host itself, or the console. It never stands for another machine. */
export const localActor = 'local'

/**
 * `bob@example.com (Bob) on laptop.example.ts.net`, `tag:ci on runner.example.ts.net`, or `unknown at 100.64.0.9`. The
 * first word is the login or the tag. Older records hold the login alone.
 */
export function actorText({ login, name, node, tags, address }: Caller): string {
  const who = login ?? tags.join(',')
  if (who === '') return address === null ? 'unknown' : `unknown at ${address}`
  return [
    who,
    ...(login !== null && name !== null && name !== login ? [`(${name})`] : []),
    ...(node === null ? [] : [`on ${node}`]),
  ].join(' ')
}

/** Login or tag of an actor, where there is little room. */
export const shortActor = (actor: string): string => actor.split(' ', 1)[0] ?? actor

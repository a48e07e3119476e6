/** Where hostd is reached, by whom, and with which token. */

/** Who speaks to hostd, as far as the messages differ. */
export interface Caller {
  /** What the caller calls the other side, at the start of a sentence: "hostd", "aiops-1", "The host". */
  readonly host: string
  /** The two sides of a version mismatch: "HQ and hostd". */
  readonly sides: string
  /** Says that nothing answers. @param reason a short clause: "nothing listens at its address" */
  readonly unreachable: (reason: string) => string
  /** What a person can do about an address that redirects. */
  readonly redirectAdvice: string
  /** A proxy stands before hostd. A 5xx that hostd did not write then means that hostd is down. */
  readonly behindProxy: boolean
}

/** `fetch`, as far as the client uses it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HostdAddress {
  /** Where the routes begin, without a slash at the end; empty for the origin of the page. */
  readonly base: string
  /** null: the request carries no token. */
  readonly token: string | null
  readonly caller: Caller
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch
  /** Called when the host refuses the token. */
  readonly onForbidden?: () => void
}

/**
 * Called for each request, so that a changed token or address counts at once.
 * @throws {Problem} when there is no address or no token yet
 */
export type Connect = () => HostdAddress | Promise<HostdAddress>

/** The text of each diagnosis of a host: what it is, what it means, and the one thing that ends it. */
import type { Diagnosis, DiagnosisId, RemedyKind, RungName } from '../host-connection.ts'

interface Row {
  readonly rung: RungName
  /** Completes the headline: *aiops-1: its Tailscale key expired*. */
  readonly title: (name: string) => string
  /** What it means, and who can end it. */
  readonly text: (name: string) => string
  readonly remedy: { readonly kind: RemedyKind; readonly label: string }
  /** The host answers all the same. */
  readonly warns?: true
}

const retry = { kind: 'retry', label: 'Try now' } as const
const edit = { kind: 'edit_host', label: 'Change the address' } as const

const rows: Readonly<Record<DiagnosisId, Row>> = {
  laptop_offline: {
    rung: 'laptop',
    title: () => 'This laptop is offline',
    text: (name) =>
      `No network leads out of this laptop. ${name} may be up and serving; nothing was asked of it.`,
    remedy: retry,
  },
  no_tailscale: {
    rung: 'tailscale',
    title: () => 'Tailscale is not on this laptop',
    text: (name) =>
      `${name} is reached through the tailnet only. HQ goes on once Tailscale runs here.`,
    remedy: { kind: 'get_tailscale', label: 'Get Tailscale' },
  },
  tailscale_silent: {
    rung: 'tailscale',
    title: () => 'Tailscale on this laptop does not answer',
    text: (name) =>
      `Its service is stuck or not running, so nothing leads to ${name}. Restarting Tailscale or the laptop ends it.`,
    remedy: { kind: 'start_tailscale', label: 'Start Tailscale' },
  },
  tailscale_stopped: {
    rung: 'tailscale',
    title: () => 'Tailscale is off on this laptop',
    text: (name) => `Nothing leads to ${name} until it is on again. The host is not affected.`,
    remedy: { kind: 'start_tailscale', label: 'Turn Tailscale on' },
  },
  logged_out: {
    rung: 'tailscale',
    title: () => 'This laptop is signed out of Tailscale',
    text: (name) => `Nothing leads to ${name} until it is signed in. The host is not affected.`,
    remedy: { kind: 'sign_in_tailscale', label: 'Sign in to Tailscale' },
  },
  needs_approval: {
    rung: 'tailscale',
    title: () => 'This laptop waits for approval in the tailnet',
    text: (name) =>
      `Nothing leads to ${name} until somebody who may manage machines approves this laptop.`,
    remedy: { kind: 'open_page', label: 'Open the admin console' },
  },
  laptop_key_expired: {
    rung: 'tailscale',
    title: () => 'The Tailscale key of this laptop expired',
    text: (name) => `Signing in again renews it. ${name} is not affected.`,
    remedy: { kind: 'sign_in_tailscale', label: 'Sign in again' },
  },
  not_in_tailnet: {
    rung: 'known',
    title: (name) => `The tailnet does not show ${name} to this laptop`,
    text: (name) =>
      `Either the access rules hide ${name} from this laptop, or it was removed or renamed. ` +
      'Somebody who may manage the tailnet can see which.',
    remedy: { kind: 'open_page', label: 'Open the access rules' },
  },
  identity_changed: {
    rung: 'known',
    title: (name) => `${name} is not the machine it was`,
    text: () => 'HQ sends nothing to it, no token either, until you agree.',
    remedy: { kind: 'agree', label: 'Compare and agree' },
  },
  host_key_expired: {
    rung: 'key',
    title: (name) => `${name}: its Tailscale key expired`,
    text: () =>
      'The machine may be up and serving; nobody in the tailnet can reach it until its key is renewed. ' +
      'Somebody who may manage machines does that in the admin console.',
    remedy: { kind: 'open_page', label: 'Open the admin console' },
  },
  host_asleep: {
    rung: 'path',
    title: () => 'It looks like the machine itself, not the network here',
    text: (name) =>
      `${name} is off, rebooting, or cut off at its provider; this laptop is online. ` +
      "The provider's console shows the machine if it stays silent.",
    remedy: retry,
  },
  no_path: {
    rung: 'path',
    title: (name) => `No path leads to ${name}`,
    text: (name) =>
      `Nothing arrives at ${name}, neither directly nor through a relay. ` +
      'It may have gone just now, or a firewall stops Tailscale.',
    remedy: { kind: 'find_path', label: 'Look for a path' },
  },
  acl_denies: {
    rung: 'path',
    title: (name) => `The tailnet does not let this laptop in to ${name}`,
    text: () =>
      'So the access rules do not let this laptop in. ' +
      'Somebody who may manage the tailnet can add the rule.',
    remedy: { kind: 'open_page', label: 'Open the access rules' },
  },
  name_unknown: {
    rung: 'name',
    title: (name) => `The address of ${name} is not known here`,
    text: () => 'MagicDNS is off on this laptop, or the name is spelled differently.',
    remedy: edit,
  },
  serve_off: {
    rung: 'name',
    title: (name) => `${name} does not publish hostd`,
    text: (name) =>
      `The machine is up. Tailscale Serve on ${name} does not lead to hostd; ` +
      'installing hostd there again publishes it. An administrator of the host can do that.',
    remedy: retry,
  },
  certificate: {
    rung: 'name',
    title: (name) => `The certificate of ${name} is not valid`,
    text: (name) =>
      'HQ sent nothing to it, because anybody could answer there. ' +
      `Tailscale renews the certificate of ${name} by itself while the machine is online.`,
    remedy: retry,
  },
  wrong_name: {
    rung: 'name',
    title: (name) => `${name} answers under another name`,
    text: () => 'The machine was renamed, or the address in HQ is that of another machine.',
    remedy: edit,
  },
  hostd_down: {
    rung: 'hostd',
    title: (name) => `hostd does not answer on ${name}`,
    text: (name) =>
      `${name} itself answers. It starts hostd again by itself; what runs there goes on. ` +
      'An administrator of the host can read why in its journal.',
    remedy: retry,
  },
  wrong_token: {
    rung: 'hostd',
    title: (name) => `${name} does not accept the token of this laptop`,
    text: () => 'It was changed on the host, or belongs to another host.',
    remedy: { kind: 'edit_host', label: 'Enter the token' },
  },
  refused: {
    rung: 'hostd',
    title: (name) => `${name} refuses HQ`,
    text: () => 'hostd is of another version, or the address leads to something else.',
    remedy: edit,
  },
  clock_skew: {
    rung: 'clocks',
    title: (name) => `The clocks of ${name} and this laptop differ`,
    text: () =>
      'Ages and certificates are judged wrongly until they agree. ' +
      'Setting both clocks by the network ends it.',
    remedy: retry,
    warns: true,
  },
  relay_slow: {
    rung: 'path',
    title: (name) => `${name} is reached only through a relay`,
    text: () => 'Everything works, slowly. A firewall that lets UDP through gives a direct path.',
    remedy: { kind: 'find_path', label: 'Look for a direct path' },
    warns: true,
  },
}

export interface DiagnosisText {
  readonly title: string
  readonly text: string
  readonly remedy: { readonly kind: RemedyKind; readonly label: string }
}

/** The rung of the way to the host that a diagnosis is about. */
export const rungOf = (id: DiagnosisId): RungName => rows[id].rung

/** Something is wrong, and the host answers all the same. */
export const onlyWarns = (id: DiagnosisId): boolean => rows[id].warns === true

/** A diagnosis in words. Without a page of Tailscale's own service to open, its button tries again. */
export function diagnosisText({ id, page, detail }: Diagnosis, name: string): DiagnosisText {
  const { title, text, remedy } = rows[id]
  return {
    title: title(name),
    text: `${detail} ${text(name)}`,
    remedy: remedy.kind === 'open_page' && page === null ? retry : remedy,
  }
}

import { z } from 'zod'
import { parseJson } from '#ops/base/files/json-file'
import { hostTool } from '#ops/base/process/host-tool'
import { fail, pass, skip, warn, type Finding } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'

/** The tailnet is the only way to this host from outside. */
export const tailnet: HostCheck = {
  name: 'tailnet',
  title: 'Tailnet',
  description: 'The host is online in the tailnet, and its key does not expire soon.',
  remedies: ['join_tailnet', 'renew_tailnet_key'],
  run: async (_context, signal) => {
    const answer = await hostTool(['tailscale', 'status', '--json', '--peers=false'], signal)
    if (answer === null)
      return skip(
        'Tailscale is not installed, so it is not checked whether this host can be reached from afar.',
      )
    // Signed out or stopped it exits with 1 and still prints the document.
    if (answer.stdout.trim() !== '') return judgeTailnet(answer.stdout, Date.now())
    return fail(`Tailscale does not answer: ${answer.complaint}`, 'join_tailnet')
  },
}

/** A key that expires within this many days is reported: a person must sign in again. */
const warnDays = 14
const dayMs = 86_400_000

/** The part of `tailscale status --json` that is about this machine. */
const status = z.looseObject({
  BackendState: z.string(),
  Health: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
  TailscaleIPs: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
  Self: z
    .looseObject({
      DNSName: z.string().default(''),
      Online: z.boolean().default(false),
      Expired: z.boolean().default(false),
      KeyExpiry: z.iso.datetime({ offset: true }).nullish(),
    })
    .nullish(),
})

/**
 * @param text what `tailscale status --json` printed
 * @param now milliseconds since 1970
 * @throws {Problem} `internal_error` when it is not such a document
 */
export function judgeTailnet(text: string, now: number): Finding {
  const { BackendState, Health, TailscaleIPs, Self } = parseJson(text, status, {
    errorClass: 'internal_error',
    origin: 'tailscale status --json',
  })
  const also = Health.length > 0 ? ` Tailscale says: ${Health.join(' · ').slice(0, 500)}` : ''
  if (BackendState !== 'Running')
    return fail(
      `Tailscale is ${BackendState}, not Running: the host cannot be reached through the tailnet.${also}`,
      'join_tailnet',
    )
  if (!Self) return fail(`Tailscale runs, but does not name this host.${also}`, 'join_tailnet')
  const expiry = expiryOf(Self.KeyExpiry)
  const left = expiry === null ? null : (Date.parse(expiry) - now) / dayMs
  if (Self.Expired || (left !== null && left <= 0)) {
    const when = expiry === null ? '' : ` at ${expiry}`
    return fail(
      `The tailnet key of this host has expired${when}: it cannot be reached through the tailnet.${also}`,
      'renew_tailnet_key',
    )
  }
  const name = `${Self.DNSName.replace(/\.$/, '')} ${TailscaleIPs.join(' ')}`.trim()
  if (!Self.Online)
    return warn(
      `${name} is not connected to the coordination server of the tailnet.${also}`,
      'join_tailnet',
    )
  if (left !== null && left <= warnDays)
    return warn(
      `The tailnet key of ${name} expires in ${left.toFixed(1)} days, at ${expiry ?? ''}.${also}`,
      'renew_tailnet_key',
    )
  if (also !== '') return warn(`${name} is online.${also}`, 'join_tailnet')
  return pass(
    `${name} is online; its key ${left === null ? 'does not expire' : `expires in ${Math.floor(left)} days`}`,
  )
}

/** Tailscale is written in Go, whose zero time, in the year 1, stands for no time at all. */
const expiryOf = (text: string | null | undefined): string | null =>
  !text || Date.parse(text) <= Date.parse('0001-12-31T00:00:00Z') ? null : text

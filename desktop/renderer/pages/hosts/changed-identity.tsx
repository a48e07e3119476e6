import type { ReactElement } from 'react'
import type { IdentityChange } from '#shared/host-connection'
import { useHostCall } from '../../state/use-host-call.ts'
import { dateAndTime } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { Confirm } from '../../ui/dialog.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'

interface Props {
  readonly host: { readonly name: string; readonly url: string }
  readonly change: IdentityChange
  readonly open: boolean
  readonly onClose: () => void
}

/** What was pinned beside what answers now; HQ sends nothing to it until the operator agrees. */
export function ChangedIdentity({ host, change, open, onClose }: Props): ReactElement {
  const agree = useHostCall('hosts.agree')
  const { pinned, seen } = change
  return (
    <>
      {agree.error && <ProblemNote error={agree.error} />}
      <Confirm
        open={open}
        title={`Send the token of ${visibleText(host.name)} to what answers now`}
        confirm="Agree"
        keep="Send nothing"
        onClose={onClose}
        onConfirm={() => agree.mutate({ url: host.url, ...seen })}
      >
        <p>{visibleText(meaning(change))}</p>
        <dl className="facts-list">
          <dt>Pinned</dt>
          <dd>
            {visibleText(pinned.tls_name)}
            <br />
            <code className="mono">{visibleText(pinned.node_key)}</code>
            <br />
            since {dateAndTime(pinned.at)}
          </dd>
          <dt>Now</dt>
          <dd>
            {visibleText(seen.tls_name)}
            <br />
            <code className="mono">{visibleText(seen.node_key)}</code>
          </dd>
        </dl>
      </Confirm>
    </>
  )
}

/** What changed, and what it may mean. */
function meaning({ kind, pinned, seen, pinned_now }: IdentityChange): string {
  if (kind === 'name')
    return (
      `The machine with the pinned node key is called ${seen.tls_name} in the tailnet now, not ` +
      `${pinned.tls_name}. Somebody renamed it. HQ takes over the new address when you agree.`
    )
  const elsewhere =
    pinned_now === null
      ? 'The pinned machine is not in the tailnet any more.'
      : `The pinned machine is still there, as ${pinned_now}: this is another machine.`
  return (
    `Another node key answers as ${seen.tls_name}. ${elsewhere} The machine was signed in to ` +
    'Tailscale again or set up from new; or somebody gave its name to another machine to get the token.'
  )
}

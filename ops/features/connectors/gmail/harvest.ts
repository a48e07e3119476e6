import type { GmailSettings } from '#shared/connectors/gmail'
import type { HarvestField } from '#shared/connectors/harvest-fields'
import { longest, mostParts, type HarvestRecord } from '#shared/phase0'

/** Takes what a harvest finds, newest message first. It may make the harvest wait. */
export interface HarvestOut {
  /** Ids of messages that an earlier run without an end has read already. */
  readonly known: ReadonlySet<string>
  /** A message that is known is still in the mailbox. */
  readonly keep: (id: string) => Promise<void>
  readonly message: (message: HarvestRecord) => Promise<void>
}

/** What ended a harvest early: a limit of host.json; null: nothing did. */
export type HarvestEnd = 'messages' | 'pages' | null

/** Everything that a service says of a message. */
export interface MessageParts {
  readonly id: string
  readonly thread: string | null
  readonly date: Date | null
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly labels: readonly string[]
  readonly attachments: readonly { readonly name: string; readonly size: number }[]
}

const cut = (text: string, length: number): string => text.slice(0, length).toWellFormed()

/** The fields of a message that are configured, cut to the lengths that are kept. */
export function recordOf(
  { id, thread, date, ...parts }: MessageParts,
  { harvest_fields }: Pick<GmailSettings, 'harvest_fields'>,
): HarvestRecord {
  const kept: Required<Pick<HarvestRecord, HarvestField>> = {
    from: cut(parts.from, longest.person),
    to: cut(parts.to, longest.people),
    subject: cut(parts.subject, longest.subject),
    labels: parts.labels.slice(0, mostParts).map((label) => cut(label, longest.label)),
    attachments: parts.attachments.slice(0, mostParts).map(({ name, size }) => ({
      name: cut(name, longest.title),
      size,
    })),
  }
  return {
    id,
    thread,
    date: date === null || Number.isNaN(date.getTime()) ? null : date.toISOString(),
    ...Object.fromEntries(harvest_fields.map((field) => [field, kept[field]])),
  }
}

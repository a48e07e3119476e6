// The lines that the process of the secrets' owner prints while it collects. The run checks each of them.
import { z } from 'zod'
import { connectorName } from '#shared/connectors'
import { errorClasses } from '#shared/errors'
import { harvestLimit, harvestRecord, libraryItem, libraryLimit, libraryPage } from '#shared/phase0'
import { renewalSchema } from '../keep-renewed.ts'

/** Most bytes of one line: the largest record, with each character as long as JSON and UTF-8 make it. */
export const maxLineBytes = 512 * 1024

export const collectLine = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('page'), page: libraryPage }),
  /** An item of the page before it. */
  z.strictObject({ type: z.literal('item'), item: libraryItem }),
  z.strictObject({ type: z.literal('message'), message: harvestRecord }),
  /** A message that the run has from an earlier one is still in the mailbox. */
  z.strictObject({ type: z.literal('keep'), id: harvestRecord.shape.id }),
  /** A secret that its service renewed for this process, for the run that writes it. */
  z.strictObject({ type: z.literal('renewed'), renewal: renewalSchema }),
  /** The secrets of this connector are not renewed any more. */
  z.strictObject({ type: z.literal('exchanged'), name: connectorName }),
  /** The last line: everything was read, up to the limit. */
  z.strictObject({
    type: z.literal('end'),
    limit: z.union([libraryLimit, harvestLimit]),
  }),
  /** The last line: it ended early. */
  z.strictObject({
    type: z.literal('problem'),
    error_class: z.enum(errorClasses),
    message: z.string().max(2000),
  }),
])
export type CollectLine = z.infer<typeof collectLine>

/** Most ids that the process gets. Any other message is read again. */
export const mostKnown = 20_000

/** What the process reads on its standard input. */
export const collectInput = z.strictObject({
  /** Ids of messages that the run has already. */
  known: z.array(harvestRecord.shape.id).max(mostKnown),
})

import { runId } from '#shared/ids'

/** A run id from an address. @returns null when it does not have the form of one */
export const runIdFrom = (id: string | null): string | null => runId.safeParse(id).data ?? null

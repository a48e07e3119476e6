/** One thing of a host that must be so. Checked again each time, so that a second installation finds nothing to do. */
export interface Change {
  /** What was done, for a person: "created the user openclaw-hostd". */
  readonly did: string
  /** File, unit or account it is about, when something else depends on whether it was changed. */
  readonly about?: string
  /** Is it not so yet? */
  due(): boolean | Promise<boolean>
  apply(): void | Promise<void>
}

/** Applies what is due, in order. @returns what was done */
export async function applyDue(
  changes: readonly Change[],
  say: (did: string) => void,
): Promise<Change[]> {
  const done: Change[] = []
  for (const change of changes) {
    if (!(await change.due())) continue
    await change.apply()
    say(change.did)
    done.push(change)
  }
  return done
}

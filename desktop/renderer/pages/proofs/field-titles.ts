/** Names of fields as a person reads them. */
const titles: Readonly<Record<string, string>> = {
  run_id: 'Run',
  git_head: 'Commit',
  git_tree: 'Tree',
  head_sha: 'Commit',
  base_sha: 'Base',
  tree_sha: 'Tree',
  target_sha: 'Target',
  previous_sha: 'Before',
  pushed_sha: 'Pushed',
  remote_sha: 'origin/main after',
  overall: 'Overall',
  started_at: 'Started',
  finished_at: 'Ended',
  created_at: 'Created',
  duration_ms: 'Took',
  unanswered_ms: 'Unanswered for',
  error_class: 'Class',
  step_failed: 'Failed step',
  next_auto_fix: 'Next fix',
  sha256: 'SHA-256',
  diff_sha256: 'Digest of the diff',
  prompt_sha256: 'Digest of the prompt',
  key_id: 'Key',
  argv: 'Command',
  schema_version: 'Format',
}

/** *git_head* is *Commit*; a name without a title of its own loses its unit and its underscores. */
export function fieldTitle(key: string): string {
  const known = Object.hasOwn(titles, key) ? titles[key] : undefined
  if (known !== undefined) return known
  if (!/^[a-z][a-z0-9_]*$/.test(key)) return key
  const words = key.replace(/_(?:ms|at|sha)$/, '').replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

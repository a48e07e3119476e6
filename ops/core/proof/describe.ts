import type { ChainVerification, ProofState } from '#shared/proof'
import { plural } from '#shared/plural'

const words: Record<ProofState, string> = {
  verified: 'verified',
  unverified: 'unverified: not everything could be checked',
  broken: 'BROKEN',
}

/** What a person reads: one line for each bundle, one for each problem, and the outcome last. */
export function describeProof({ state, problems, bundles }: ChainVerification): string {
  const own = new Set(bundles.flatMap((bundle) => bundle.problems))
  const lines: string[] = []
  for (const bundle of bundles) {
    const place =
      bundle.counter === null
        ? ''
        : `  number ${bundle.counter} of chain ${bundle.chain}, key ${bundle.key_id}`
    const absent = bundle.pruned > 0 ? `, ${bundle.pruned} deleted by retention` : ''
    const files = `${plural(bundle.files, 'file')}${absent}`
    lines.push(
      `${bundle.state.padEnd(10)} ${bundle.kind ?? '?'} ${bundle.run_id}  ${files}${place}`,
    )
    for (const { code, file, detail } of bundle.problems)
      lines.push(`  ${code}${file === null ? '' : `  ${JSON.stringify(file)}`}: ${detail}`)
  }
  for (const problem of problems)
    if (!own.has(problem))
      lines.push(
        `  ${problem.code}${problem.run_id === null ? '' : `  ${problem.run_id}`}: ${problem.detail}`,
      )
  if (bundles.length === 0) lines.push('There is no bundle.')
  lines.push(
    `${words[state]} (${plural(bundles.length, 'bundle')}, ${plural(problems.length, 'problem')})`,
  )
  return `${lines.join('\n')}\n`
}

import type { EvidencePlace } from '#shared/evidence'
import type { BundleKind, ProofProblemCode, ProofState } from '#shared/proof'
import type { Shown } from './status.ts'

export const bundleTitles: Record<BundleKind, string> = {
  ship: 'Ship',
  deploy: 'Deploy',
  dod: 'DoD',
  doctor: 'Doctor',
  phase0: 'Phase 0',
}

/** What the files of a folder are of, in the middle of a sentence. */
export const folderTitles: Record<EvidencePlace['folder'], string> = {
  ship: 'ship',
  deploy: 'deploy',
  dod: 'DoD',
  doctor: 'doctor',
  phase0: 'Phase 0',
  runs: 'run',
}

export const ofProof: Record<ProofState, { readonly shown: Shown; readonly title: string }> = {
  verified: {
    shown: { tone: 'pass', word: 'Verified' },
    title: 'Every file is the one that was sealed, and the signature is by a key that is trusted.',
  },
  unverified: {
    shown: { tone: 'warn', word: 'Unverified' },
    title: 'It was not sealed, or there is no key to check its signature with.',
  },
  broken: { shown: { tone: 'fail', word: 'Broken' }, title: 'It differs from what was sealed.' },
}

/** What is wrong with a proof, in plain words. The class stands beside it. */
export const problemText: Record<ProofProblemCode, string> = {
  not_sealed: 'It was not sealed',
  no_key_enrolled: 'There is no key to check its signature with',
  manifest_unreadable: 'Its manifest cannot be read',
  manifest_off_schema: 'Its manifest has an invalid format',
  manifest_respelled: 'Its manifest was rewritten',
  signature_invalid: 'Its signature does not match its content',
  unknown_key: 'It is signed with a key that is not enrolled',
  run_mismatch: 'It is the proof of another run',
  kind_mismatch: 'It is the proof of another kind of run',
  file_missing: 'A file is missing',
  file_extra: 'A file was added',
  file_size: 'The size of a file differs',
  file_digest: 'The content of a file differs',
  file_not_regular: 'A file was replaced by a link or cannot be read',
  folder_unreadable: 'It cannot be read',
  tombstone_invalid: 'Its record of deleted files is not signed with the key of its manifest',
  statement_mismatch: 'Its statement about its files says something else than its manifest',
  chain_gap: 'A proof that was there is missing',
  counter_repeated: 'Two proofs have the same number',
  order_swapped: 'A proof does not follow the one before it',
  chain_truncated: 'The newest proofs are missing',
  head_replaced: 'A proof was replaced by another',
  chain_replaced: 'The whole chain was replaced by another',
  key_changed: 'Another key signs than the one that was enrolled',
  witness_damaged: 'What was witnessed before cannot be read',
}

// The statements that a bundle gets when it is sealed: its files, and what a green deploy proved.
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { deployed, deployedFile, type Deployed } from '#shared/deployed'
import type { Manifest } from '#shared/proof'
import { deployResult, type DeployResult } from '#shared/result'
import { predicateTypes, statementFile, statementRef, statementType } from '#shared/statement'
import type { Resource, Statement } from '#shared/statement'
import { reviewRef } from '#shared/verdict'
import { readJson, writeWhole } from '#ops/base/files/json-file'
import { sha256Of } from '#ops/base/sha256'
import { signStatement } from '#ops/core/trust/envelope'
import { commitSubject } from '#ops/core/trust/commit-statements'
import type { SigningKey } from '#ops/core/trust/signing-key'

/** What a manifest says, before it is signed and before it lists the statement of its files. */
export type ManifestContent = Omit<Manifest, 'signature'>

/** The sealed files: each is a subject; the predicate is the rest of what the manifest says. */
export function filesStatement({ files, ...rest }: ManifestContent): Statement {
  return {
    _type: statementType,
    subject: files.map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })),
    predicateType: predicateTypes.files,
    predicate: { ...rest, sizes: Object.fromEntries(files.map(({ path, size }) => [path, size])) },
  }
}

/** Levels that a verification summary names. They are HQ's own: it claims no level of SLSA. */
export const verifiedLevels = ['HQ_REVIEWED', 'HQ_RUNNING_AS_BUILT'] as const

/**
 * Writes provenance and verification summary of a deploy that ended green. Of any other deploy, and of one by an older
 * HQ, it writes none.
 * @throws {Problem} `proof_broken` when the result or `deployed.json` cannot be read, or they contradict each other
 */
export function leaveDeployStatements(dir: string, key: SigningKey): void {
  const facts = readJson(join(dir, deployedFile), deployed, 'proof_broken')
  if (facts === undefined) return
  const result = readJson(join(dir, 'deploy_result.json'), deployResult, 'proof_broken')
  if (result?.overall !== 'PASS') return
  if (facts.run_id !== result.run_id || facts.commit !== result.git_head)
    throw new Problem(
      'proof_broken',
      `${deployedFile} is about another deploy than deploy_result.json. Nothing was sealed.`,
    )
  const provenance = signStatement(provenanceStatement(facts, result, key.id), key)
  writeWhole(join(dir, statementFile('provenance')), provenance)
  const summary = verificationStatement(facts, result, {
    keyId: key.id,
    provenance: sha256Of(provenance),
  })
  writeWhole(join(dir, statementFile('verification')), signStatement(summary, key))
}

const hostId = (keyId: string): string => `urn:openclaw-hq:host:${keyId}`

const servicesOf = ({ services }: Deployed): Statement['subject'] =>
  services.map(({ name, sha256 }) => ({ name, digest: { sha256 } }))

const sourceOf = ({ project, commit, tree }: Deployed): Statement['subject'] =>
  commitSubject({ repository: project, head_sha: commit, tree_sha: tree })

/** SLSA provenance v1: what runs, made from which commit, by which host. */
function provenanceStatement(facts: Deployed, result: DeployResult, keyId: string): Statement {
  const { project, branch, engine, is_rollback, build_sha256, services } = facts
  return {
    _type: statementType,
    subject: services.length > 0 ? servicesOf(facts) : sourceOf(facts),
    predicateType: predicateTypes.provenance,
    predicate: {
      buildDefinition: {
        buildType: 'urn:openclaw-hq:deploy:v1',
        externalParameters: { project, branch, is_rollback },
        internalParameters: { engine },
        resolvedDependencies: sourceOf(facts),
      },
      runDetails: {
        builder: { id: hostId(keyId) },
        metadata: {
          invocationId: result.run_id,
          startedOn: result.started_at,
          finishedOn: result.finished_at,
        },
        byproducts: [{ name: 'build', digest: { sha256: build_sha256 } }],
      },
    },
  }
}

interface Verifier {
  readonly keyId: string
  /** SHA-256 of the provenance. */
  readonly provenance: string
}

/** SLSA verification summary v1: commit, tree and what runs, and the verdicts that this rests on. */
function verificationStatement(
  facts: Deployed,
  result: DeployResult,
  { keyId, provenance }: Verifier,
): Statement {
  const { project, baseline, trust_sha256 } = facts
  return {
    _type: statementType,
    subject: [...sourceOf(facts), ...servicesOf(facts)],
    predicateType: predicateTypes.verification,
    predicate: {
      verifier: { id: hostId(keyId) },
      timeVerified: result.finished_at,
      resourceUri: `urn:openclaw-hq:project:${encodeURIComponent(project)}`,
      policy: {
        uri: `urn:openclaw-hq:policy:reviewed-from:${baseline}`,
        digest: { sha256: trust_sha256 },
      },
      inputAttestations: [
        ...facts.reviews.flatMap(inputsOf),
        { uri: statementFile('provenance'), digest: { sha256: provenance } },
      ],
      verificationResult: 'PASSED',
      verifiedLevels: [...verifiedLevels],
    },
  }
}

/** The verdict of a commit, and the statements that say the same. */
function inputsOf({ commit, verdict_sha256, statements }: Deployed['reviews'][number]): Resource[] {
  const { review, tests } = statements
  return [
    { uri: reviewRef(commit), digest: { sha256: verdict_sha256 } },
    ...(review === null
      ? []
      : [{ uri: statementRef('review', commit), digest: { sha256: review } }]),
    ...(tests === null ? [] : [{ uri: statementRef('tests', commit), digest: { sha256: tests } }]),
  ]
}

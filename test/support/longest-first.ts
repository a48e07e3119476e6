import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The files that take longest, longest first. Started first, they do not keep one core busy alone at the end. A file
 * that is missing here only starts later.
 */
const longest = [
  'test/e2e/story.test.ts',
  'test/ops/features/ship/verdict-reuse.test.ts',
  'test/ops/features/deploy/rollback.test.ts',
  'test/ops/features/ship/ship-killed.test.ts',
  'test/ops/features/deploy/stops-after-the-switch.test.ts',
  'test/e2e/ways-round-the-gate.test.ts',
  'test/ops/features/deploy/accepted-before.test.ts',
  'test/desktop/operator/connectors/kajabi-sign-in.test.ts',
  'test/ops/features/ship/ship-stops-at-push.test.ts',
  'test/desktop/renderer/frame.test.ts',
  'test/ops/features/ship/until-green-stops.test.ts',
  'test/hostd/connector-secrets.test.ts',
  'test/desktop/renderer/overview.test.ts',
  'test/ops/features/ship/ship-stops-before-review.test.ts',
  'test/ops/features/guard/services.test.ts',
  'test/rig/self-deploy.test.ts',
  'test/rig/kills.test.ts',
  'test/rig/deploy-failures.test.ts',
  'test/rig/first-deploy.test.ts',
  'test/rig/compose-engine.test.ts',
]

const rank = ({ moduleId }: TestSpecification): number => {
  const at = longest.findIndex((path) => moduleId.endsWith(`/${path}`))
  return at < 0 ? longest.length : at
}

/** The order of the test files: the longest first, the others as Vitest would run them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is the sequencer's method, not an array's
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

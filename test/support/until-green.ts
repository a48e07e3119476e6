// Ships with --until-green, and implementers that tests write.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { nodeProgram } from '#ops/base/process/program'
import { shipFixture, type ShipFixture } from './ship-fixture.ts'
import type { Shipped } from './ship-repo.ts'

/** What `app.mjs` holds when its test fails, and when it passes. */
export const broken = 'export const add = (a, b) => a * b\n'
export const right = 'export const add = (a, b) => b + a\n'

export const read = (shipped: Shipped, file: string): string =>
  readFileSync(join(shipped.dir, file), 'utf8')

/** A laptop whose commit breaks a test, for each test. Create it at the top of a test file. */
export class UntilGreen {
  readonly at: ShipFixture
  /** The commit that breaks the test. */
  head = ''
  /** The refs of origin before the test. */
  before: Record<string, string> = {}

  constructor() {
    this.at = shipFixture({
      prepare: ({ sample }) => {
        this.before = sample.remoteRefs()
      },
    })
  }

  breakIt(): void {
    this.head = this.at.sample.commit('Break it', { 'app.mjs': broken })
  }

  /** Sets the implementer of the operator: a script in JavaScript, its folder the copy. */
  implementer(script: string, more: object = {}): void {
    const file = join(this.at.sample.home, 'implementer.mjs')
    writeFileSync(
      file,
      `import { appendFileSync, readFileSync, writeFileSync, rmSync } from 'node:fs'\n` +
        `import { execFileSync, spawn } from 'node:child_process'\n` +
        `const prompt = readFileSync(0, 'utf8')\n` +
        `${script}\n`,
    )
    this.at.sample.settings({}, { until_green: { argv: [nodeProgram(), file], ...more } })
  }

  ship(repairs: number, env: Record<string, string> = {}): Promise<Shipped> {
    return this.at.sample.ship(env, ['--until-green', String(repairs)])
  }

  /** Nothing of the operator's has moved, and nothing was pushed. */
  expectUntouched(): void {
    expect(this.at.sample.remoteRefs()).toEqual(this.before)
    expect(this.at.sample.git('rev-parse', 'main')).toBe(this.head)
    expect(this.at.sample.git('status', '--porcelain')).toBe('')
  }
}

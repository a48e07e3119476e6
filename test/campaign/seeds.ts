import { seeds } from '../support/seeded.ts'

/** Seeds of this campaign: `CAMPAIGN_SEEDS` of them (default 200), from `CAMPAIGN_FIRST` on (default 1). */
export function campaignSeeds(
  env: Readonly<Record<string, string | undefined>> = process.env,
): number[] {
  const read = (name: string, fallback: number): number => {
    const text = env[name] ?? String(fallback)
    if (!/^[1-9]\d{0,6}$/.test(text))
      throw new RangeError(`${name} must be a whole number from 1 on, not ${JSON.stringify(text)}`)
    return Number(text)
  }
  const first = read('CAMPAIGN_FIRST', 1)
  return Array.from({ length: read('CAMPAIGN_SEEDS', 200) }, (_, index) => first + index)
}

/** The fixed seeds, of which `npm test` tries some, and those of this campaign: each a series of its own. */
export const seedSeries = (): (readonly [name: string, seeds: readonly number[]])[] => [
  ['the fixed seeds', seeds],
  ['the seeds of this campaign', campaignSeeds()],
]

/** One line of the result table. */
export const report = (
  name: string,
  seeds: readonly number[],
  cases: number,
  failed: number,
): void => {
  console.log(`| ${name} | ${seeds.length} (${seeds[0]}–${seeds.at(-1)}) | ${cases} | ${failed} |`)
}

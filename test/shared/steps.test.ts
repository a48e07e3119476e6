import { describe, expect, it } from 'vitest'
import {
  deployOrder,
  deploySteps,
  gateNames,
  shipOrder,
  shipSteps,
  standingStep,
  stepsOfGate,
  stepTitle,
  stoppedNothing,
} from '#shared/steps'
import { greenStep } from '#ops/features/deploy/green-step'
import { stepsOfDeploy } from '#ops/features/deploy/pipeline'
import type { DeployHost } from '#ops/features/deploy/state/facts'
import * as ship from '#ops/features/ship/pipeline'

const rows = Object.entries({ ...shipSteps, ...deploySteps })

describe('the table of steps', () => {
  it('names the steps of the deploy pipeline, in its order', () => {
    const host = {} as DeployHost
    const names = stepsOfDeploy.map((step) => step(host).name)
    expect(names).toEqual(deployOrder)
    expect([...names, greenStep]).toEqual(Object.keys(deploySteps))
  })

  it('names the steps of the ship pipelines, in their order', () => {
    const takeLock = (): never => {
      throw new Error('no step runs here')
    }
    const names = (steps: readonly { name: string }[]): string[] => steps.map(({ name }) => name)
    expect(names(ship.shipSteps(takeLock))).toEqual(shipOrder)
    expect([...names(ship.repairSteps(60)), ...names(ship.repairedShipSteps(takeLock))]).toEqual(
      Object.keys(shipSteps),
    )
  })

  it('counts each step of a ship and a deploy in one gate, in the order of the gates', () => {
    expect(gateNames.flatMap(stepsOfGate)).toEqual([...shipOrder, ...deployOrder])
    expect(stepsOfGate('tests')).toEqual(['preflight', 'tests'])
    expect(stepsOfGate('proof')).toEqual([])
  })

  it('has a title for every step, and no two alike', () => {
    const titles = rows.map(([, { title }]) => title)
    expect(new Set(titles).size).toBe(titles.length)
    for (const [name, { title }] of rows) {
      expect(title, name).toMatch(/^[A-Z][^.]*[^. ]$/)
      expect(stepTitle(name)).toBe(title)
    }
    expect(stepTitle('a_step_of_an_older_version')).toBe('a_step_of_an_older_version')
  })

  it('lets a step that only some runs have stand for one that all have', () => {
    expect(standingStep('repair')).toBe('preflight')
    expect(standingStep('fast_forward')).toBe('check_fail_closed_push')
    expect(standingStep('tests')).toBe('tests')
    for (const [name] of rows) expect([...shipOrder, ...deployOrder]).toContain(standingStep(name))
  })

  it('says which failures left every service running', () => {
    expect(deployOrder.filter(stoppedNothing)).toEqual(deployOrder.slice(0, 4))
  })
})

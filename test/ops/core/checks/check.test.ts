import { describe, expect, it } from 'vitest'
import { runChecks } from '#ops/core/checks/check'

describe('checks', () => {
  it('run side by side: one that hangs and one that throws fail alone, in their own time', async () => {
    const order: string[] = []
    const results = await runChecks([
      {
        name: 'hangs',
        limitMs: 200,
        remedy: 'restart_hostd',
        run: (signal) => {
          signal.addEventListener('abort', () => order.push('hangs was given up'))
          return new Promise(() => undefined)
        },
      },
      {
        name: 'throws',
        remedy: 'free_disk',
        run: () => {
          order.push('throws')
          throw new Error('boom')
        },
      },
      {
        name: 'good',
        remedy: 'free_disk',
        run: () => {
          order.push('good')
          return { status: 'PASS', detail: 'fine' }
        },
      },
    ])
    expect(order).toEqual(['throws', 'good', 'hangs was given up'])
    expect(results.map(({ name, status, remedy }) => [name, status, remedy])).toEqual([
      ['hangs', 'FAIL', 'restart_hostd'],
      ['throws', 'FAIL', 'free_disk'],
      ['good', 'PASS', null],
    ])
    expect(results[0]?.detail).toBe('The check gave no answer within 0.2 s.')
  })
})

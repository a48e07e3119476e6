import { z } from 'zod'
import type { CommandRow } from './command-row.ts'
import { matching } from './option-parsers.ts'
import { json, unattended } from './common.ts'

/** Checks. They change nothing, except guard, which applies its named remediations. */
export const checkCommands: readonly CommandRow[] = [
  {
    name: 'verify',
    description: 'verify what the host serves',
    options: [json],
    load: () => import('../commands/verify.ts'),
  },
  {
    name: 'dod',
    description: 'check the Definition of Done of the last green deploy',
    options: [json],
    load: () => import('../commands/dod.ts'),
  },
  {
    name: 'green-check',
    description: 'check whether the last deploy is still green',
    options: [json],
    load: () => import('../commands/green-check.ts'),
  },
  {
    name: 'assert-pull-only',
    description: 'prove that this host can fetch and cannot push',
    options: [json],
    load: () => import('../commands/assert-pull-only.ts'),
  },
  {
    name: 'doctor',
    description: 'check the host',
    options: [json, unattended],
    load: () => import('../commands/doctor.ts'),
  },
  {
    name: 'guard',
    description: 'probe the host once and apply safe, named remediations',
    options: [json, unattended],
    load: () => import('../commands/guard.ts'),
  },
  {
    name: 'guard-log',
    description: 'print the last passes of guard',
    options: [
      {
        flags: '--lines <n>',
        description: 'how many passes',
        default: '50',
        parse: matching(
          z.string().regex(/^(?:[1-9]\d?|[1-4]\d\d|500)$/),
          'a whole number from 1 to 500',
        ),
      },
      json,
    ],
    load: () => import('../commands/guard-log.ts'),
  },
  {
    name: 'port-audit',
    description: 'list what can be reached from outside this host',
    options: [json],
    load: () => import('../commands/port-audit.ts'),
  },
  {
    name: 'connectors',
    description: 'check live whether each connector accepts its secrets',
    options: [
      {
        flags: '--probe',
        description: 'check in this process and print the reports as JSON',
        internal: true,
      },
      json,
    ],
    load: () => import('../commands/connectors.ts'),
  },
  {
    name: 'phase0',
    description: 'check that every connector is ready, live, and leave a proof',
    options: [json],
    load: () => import('../commands/phase0.ts'),
  },
  {
    name: 'selftest',
    description: 'make a violation for every guard and check that each is refused',
    options: [
      { flags: '--junit <path>', description: 'also write a JUnit report, for a ship' },
      {
        flags: '--sockets',
        description: 'audit the sockets of a network namespace',
        internal: true,
      },
      json,
    ],
    load: () => import('../commands/selftest.ts'),
  },
]

import { z } from 'zod'
import { parseJson } from '#ops/base/files/json-file'
import type { NatRule, NatTable } from './nat-rules.ts'

const chainEntry = z.object({
  chain: z.looseObject({
    family: z.string(),
    table: z.string(),
    name: z.string(),
    hook: z.string().optional(),
  }),
})
const ruleEntry = z.object({
  rule: z.looseObject({
    family: z.string(),
    table: z.string(),
    chain: z.string(),
    expr: z.array(z.record(z.string(), z.unknown())).default([]),
  }),
})
const ruleset = z.looseObject({ nftables: z.array(z.unknown()) })

const matchStatement = z.looseObject({
  op: z.string(),
  left: z.looseObject({
    meta: z.looseObject({ key: z.string() }).optional(),
    payload: z
      .looseObject({ protocol: z.string().optional(), field: z.string().optional() })
      .optional(),
  }),
  right: z.unknown(),
})

const address = z.union([
  z.string(),
  z
    .object({ prefix: z.object({ addr: z.string(), len: z.number() }) })
    .transform(({ prefix }) => `${prefix.addr}/${prefix.len}`),
])
const port = z.union([
  z.number().transform((value): [number, number] => [value, value]),
  z
    .object({ range: z.tuple([z.number(), z.number()]) })
    .transform(({ range }): [number, number] => range),
])

/**
 * One value, or an anonymous set of them; null when it is anything else (a named set, a map): then it limits nothing
 * we could know.
 */
function values<T extends z.ZodType>(right: unknown, one: T): z.output<T>[] | null {
  const set = z.object({ set: z.array(one) }).safeParse(right)
  if (set.success) return set.data.set
  const single = one.safeParse(right)
  return single.success ? [single.data] : null
}

type Limits = Pick<NatRule, 'interfaces' | 'destinations' | 'sources' | 'protocol' | 'ports'>

function limitsOf(expr: readonly Record<string, unknown>[]): Limits {
  let limits: Limits = {
    interfaces: null,
    destinations: null,
    sources: null,
    protocol: null,
    ports: null,
  }
  for (const statement of expr) {
    const parsed = matchStatement.safeParse(statement['match'])
    if (!parsed.success || (parsed.data.op !== '==' && parsed.data.op !== 'in')) continue
    const { left, right } = parsed.data
    const key = left.meta?.key
    const { protocol, field } = left.payload ?? {}
    if (key === 'iif' || key === 'iifname')
      limits = { ...limits, interfaces: values(right, z.string()) }
    else if (key === 'l4proto')
      limits = { ...limits, protocol: values(right, z.string())?.join('/') ?? null }
    else if (field === 'daddr') limits = { ...limits, destinations: values(right, address) }
    else if (field === 'saddr') limits = { ...limits, sources: values(right, address) }
    else if (field === 'dport')
      limits = {
        ...limits,
        ports: values(right, port),
        protocol: protocol === 'th' ? limits.protocol : (protocol ?? limits.protocol),
      }
    else if (field === 'protocol' || field === 'nexthdr')
      limits = { ...limits, protocol: values(right, z.string())?.join('/') ?? null }
  }
  return limits
}

const jump = z.looseObject({ target: z.string() })

function actionOf(expr: readonly Record<string, unknown>[]): NatRule['action'] | null {
  for (const statement of expr) {
    for (const how of ['dnat', 'redirect', 'tproxy'] as const)
      if (how in statement) return { kind: 'send', how }
    const next = jump.safeParse(statement['jump'] ?? statement['goto'])
    if (next.success) return { kind: 'go', chain: next.data.target }
  }
  return null
}

/** Output of `nft --json list ruleset`. @throws {Problem} `internal_error` when it is not such a document */
export function parseNftRuleset(text: string): NatTable {
  const { nftables } = parseJson(text, ruleset, {
    errorClass: 'internal_error',
    origin: 'nft --json list ruleset',
  })
  const entries = nftables.flatMap((each) => {
    const { data } = chainEntry.safeParse(each)
    return data && (data.chain.hook === 'prerouting' || data.chain.hook === 'ingress')
      ? [`nft ${data.chain.family} ${data.chain.table}/${data.chain.name}`]
      : []
  })
  const rules = nftables.flatMap((each): NatRule[] => {
    const { data } = ruleEntry.safeParse(each)
    const action = data ? actionOf(data.rule.expr) : null
    return data && action
      ? [
          {
            table: `nft ${data.rule.family} ${data.rule.table}`,
            chain: data.rule.chain,
            action,
            ...limitsOf(data.rule.expr),
            text: `nft ${data.rule.family} ${data.rule.table} ${data.rule.chain}`,
          },
        ]
      : []
  })
  return { rules, entries }
}
